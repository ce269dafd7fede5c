check_PROGRAMS += %D%/test_routes

tests_unit_api_test_routes_LDADD = $(sysctrd_LDADD) $(CMOCKA_LIBS)
tests_unit_api_test_routes_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)

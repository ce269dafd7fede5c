check_PROGRAMS += %D%/test_http
tests_unit_client_test_http_LDADD = libclient.a libcodec.a libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS)

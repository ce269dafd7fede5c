check_PROGRAMS += \
	%D%/test_buf \
	%D%/test_err \
	%D%/test_fmt \
	%D%/test_parse \
	%D%/test_str \
	%D%/test_strmap \
	%D%/test_time \
	%D%/test_uuid

BASE_TEST_LIBS = libbase.a $(CMOCKA_LIBS)
tests_unit_base_test_buf_LDADD = $(BASE_TEST_LIBS)
tests_unit_base_test_err_LDADD = $(BASE_TEST_LIBS)
tests_unit_base_test_fmt_LDADD = $(BASE_TEST_LIBS)
tests_unit_base_test_parse_LDADD = $(BASE_TEST_LIBS)
tests_unit_base_test_str_LDADD = $(BASE_TEST_LIBS)
tests_unit_base_test_strmap_LDADD = $(BASE_TEST_LIBS)
tests_unit_base_test_time_LDADD = $(BASE_TEST_LIBS)
tests_unit_base_test_uuid_LDADD = $(BASE_TEST_LIBS)

check_PROGRAMS += \
	%D%/test_diff \
	%D%/test_driver \
	%D%/test_policy \
	%D%/test_side

STORAGE_TEST_LIBS = libstorage.a libspec.a libcodec.a libos.a libbase.a $(CMOCKA_LIBS)
tests_unit_storage_test_diff_LDADD = $(STORAGE_TEST_LIBS)
tests_unit_storage_test_driver_LDADD = $(STORAGE_TEST_LIBS)
tests_unit_storage_test_policy_LDADD = $(STORAGE_TEST_LIBS)
tests_unit_storage_test_side_LDADD = $(STORAGE_TEST_LIBS)

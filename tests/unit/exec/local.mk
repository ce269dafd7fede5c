check_PROGRAMS += \
	%D%/test_command \
	%D%/test_passwd

EXEC_TEST_LIBS = libexec.a libspec.a libcodec.a libos.a libbase.a $(CMOCKA_LIBS)
tests_unit_exec_test_command_LDADD = $(EXEC_TEST_LIBS)
tests_unit_exec_test_passwd_LDADD = $(EXEC_TEST_LIBS)

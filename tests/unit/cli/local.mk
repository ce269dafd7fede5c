check_PROGRAMS += %D%/test_args %D%/test_detach %D%/test_help %D%/test_outfile %D%/test_progress \
	%D%/test_table
cli_test_libs = libcli.a libclient.a libfiles.a libspec.a libcodec.a libos.a libbase.a $(SMARTCOLS_LIBS) \
	$(JANSSON_LIBS) $(YAML_LIBS) $(WSLAY_LIBS) $(CMOCKA_LIBS)
tests_unit_cli_test_args_LDADD = $(cli_test_libs)
tests_unit_cli_test_detach_LDADD = $(cli_test_libs)
tests_unit_cli_test_help_LDADD = $(cli_test_libs)
tests_unit_cli_test_outfile_LDADD = $(cli_test_libs)
tests_unit_cli_test_progress_LDADD = $(cli_test_libs)
tests_unit_cli_test_table_LDADD = $(cli_test_libs)

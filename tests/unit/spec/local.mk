check_PROGRAMS += \
	%D%/test_backup \
	%D%/test_expand \
	%D%/test_filter \
	%D%/test_idmap \
	%D%/test_keys \
	%D%/test_limits \
	%D%/test_names \
	%D%/test_portable \
	%D%/test_records \
	%D%/test_schedule \
	%D%/test_snapshot \
	%D%/test_template

SPEC_TEST_LIBS = libspec.a libcodec.a libbase.a $(JANSSON_LIBS) $(YAML_LIBS) $(CMOCKA_LIBS)
tests_unit_spec_test_backup_LDADD = $(SPEC_TEST_LIBS)
tests_unit_spec_test_expand_LDADD = $(SPEC_TEST_LIBS)
tests_unit_spec_test_filter_LDADD = $(SPEC_TEST_LIBS)
tests_unit_spec_test_idmap_LDADD = $(SPEC_TEST_LIBS)
tests_unit_spec_test_keys_LDADD = $(SPEC_TEST_LIBS)
tests_unit_spec_test_limits_LDADD = $(SPEC_TEST_LIBS)
tests_unit_spec_test_names_LDADD = $(SPEC_TEST_LIBS)
tests_unit_spec_test_portable_LDADD = $(SPEC_TEST_LIBS)
tests_unit_spec_test_records_LDADD = $(SPEC_TEST_LIBS)
tests_unit_spec_test_schedule_LDADD = $(SPEC_TEST_LIBS)
tests_unit_spec_test_snapshot_LDADD = $(SPEC_TEST_LIBS)
tests_unit_spec_test_template_LDADD = $(SPEC_TEST_LIBS)

check_PROGRAMS += \
	%D%/test_apt \
	%D%/test_build_log \
	%D%/test_command \
	%D%/test_entry \
	%D%/test_metadata \
	%D%/test_release_index \
	%D%/test_report \
	%D%/test_simplestreams

IMAGE_TEST_LIBS = libimage.a libspec.a libcodec.a libos.a libbase.a $(ARCHIVE_LIBS) $(GNUTLS_LIBS) \
	$(JANSSON_LIBS) $(YAML_LIBS) $(CMOCKA_LIBS)
tests_unit_image_test_entry_LDADD = $(IMAGE_TEST_LIBS)
tests_unit_image_test_metadata_LDADD = $(IMAGE_TEST_LIBS)
tests_unit_image_test_report_LDADD = $(IMAGE_TEST_LIBS)
tests_unit_image_test_apt_LDADD = $(IMAGE_TEST_LIBS)
tests_unit_image_test_build_log_LDADD = $(IMAGE_TEST_LIBS)
tests_unit_image_test_command_LDADD = $(IMAGE_TEST_LIBS)
tests_unit_image_test_release_index_LDADD = $(IMAGE_TEST_LIBS)
tests_unit_image_test_simplestreams_LDADD = $(IMAGE_TEST_LIBS)

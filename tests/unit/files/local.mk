check_PROGRAMS += %D%/test_stream
tests_unit_files_test_stream_LDADD = \
	libfiles.a libspec.a libcodec.a libos.a libbase.a $(JANSSON_LIBS) $(YAML_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += \
	%D%/test_json \
	%D%/test_jsonw \
	%D%/test_mask \
	%D%/test_multipart \
	%D%/test_url \
	%D%/test_wire \
	%D%/test_ws \
	%D%/test_yaml

CODEC_TEST_LIBS = libcodec.a libbase.a $(JANSSON_LIBS) $(YAML_LIBS) $(CMOCKA_LIBS)
tests_unit_codec_test_json_LDADD = $(CODEC_TEST_LIBS)
tests_unit_codec_test_jsonw_LDADD = $(CODEC_TEST_LIBS)
tests_unit_codec_test_mask_LDADD = $(CODEC_TEST_LIBS)
tests_unit_codec_test_url_LDADD = libcodec.a libbase.a $(CMOCKA_LIBS)
tests_unit_codec_test_wire_LDADD = libcodec.a libbase.a $(CMOCKA_LIBS)
tests_unit_codec_test_multipart_LDADD = libcodec.a libbase.a $(CMOCKA_LIBS)
tests_unit_codec_test_ws_LDADD = libcodec.a libbase.a $(WSLAY_LIBS) $(GNUTLS_LIBS) $(CMOCKA_LIBS)
tests_unit_codec_test_yaml_LDADD = $(CODEC_TEST_LIBS)

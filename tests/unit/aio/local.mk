check_PROGRAMS += \
	%D%/test_http \
	%D%/test_loop \
	%D%/test_proc \
	%D%/test_seqpkt \
	%D%/test_ws

AIO_TEST_LIBS = libaio.a libos.a libcodec.a libbase.a $(UV_LIBS) $(MHD_LIBS) $(GNUTLS_LIBS) \
	$(WSLAY_LIBS) $(CMOCKA_LIBS)
tests_unit_aio_test_http_LDADD = $(AIO_TEST_LIBS)
tests_unit_aio_test_loop_LDADD = $(AIO_TEST_LIBS)
tests_unit_aio_test_proc_LDADD = $(AIO_TEST_LIBS)
tests_unit_aio_test_seqpkt_LDADD = $(AIO_TEST_LIBS)
tests_unit_aio_test_ws_LDADD = $(AIO_TEST_LIBS)

check_PROGRAMS += \
	%D%/test_job \
	%D%/test_network \
	%D%/test_scheduler \
	%D%/test_seccomp

tests_unit_core_test_seccomp_LDADD = libcore.a libos.a libspec.a libcodec.a libbase.a $(SECCOMP_LIBS) $(CMOCKA_LIBS)
core_test_libs = libcore.a libdb.a libaio.a libnetwork.a libstorage.a libspec.a libcodec.a \
	libos.a libbase.a $(UV_LIBS) $(SQLITE_LIBS) $(MNL_LIBS) $(MHD_LIBS) $(GNUTLS_LIBS) \
	$(WSLAY_LIBS) $(JANSSON_LIBS) $(YAML_LIBS) $(SECCOMP_LIBS) $(CMOCKA_LIBS)
## The test stands in for what the scheduler calls: nothing else of the daemon is linked.
tests_unit_core_test_scheduler_LDADD = libcore.a libspec.a libcodec.a libbase.a $(JANSSON_LIBS) \
	$(YAML_LIBS) $(CMOCKA_LIBS)
tests_unit_core_test_job_LDADD = $(core_test_libs)
tests_unit_core_test_network_LDADD = $(core_test_libs)

check_PROGRAMS += \
	%D%/test_addr \
	%D%/test_host \
	%D%/test_lease \
	%D%/test_plan

NETWORK_TEST_LIBS = libnetwork.a libspec.a libcodec.a libos.a libbase.a $(MNL_LIBS) $(CMOCKA_LIBS)
tests_unit_network_test_addr_LDADD = $(NETWORK_TEST_LIBS)
tests_unit_network_test_host_LDADD = $(NETWORK_TEST_LIBS)
tests_unit_network_test_lease_LDADD = $(NETWORK_TEST_LIBS)
tests_unit_network_test_plan_LDADD = $(NETWORK_TEST_LIBS)
EXTRA_DIST += tests/unit/golden.h

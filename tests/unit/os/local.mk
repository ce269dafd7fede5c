check_PROGRAMS += \
	%D%/test_bpfdev \
	%D%/test_cgroup_plan \
	%D%/test_crew \
	%D%/test_nlmsg \
	%D%/test_path \
	%D%/test_sock \
	%D%/test_sysdev \
	%D%/test_tree

OS_TEST_LIBS = libos.a libbase.a $(MNL_LIBS) $(CMOCKA_LIBS)
tests_unit_os_test_bpfdev_LDADD = $(OS_TEST_LIBS)
tests_unit_os_test_cgroup_plan_LDADD = $(OS_TEST_LIBS)
tests_unit_os_test_crew_LDADD = $(OS_TEST_LIBS)
tests_unit_os_test_nlmsg_LDADD = $(OS_TEST_LIBS)
tests_unit_os_test_path_LDADD = $(OS_TEST_LIBS)
tests_unit_os_test_sock_LDADD = $(OS_TEST_LIBS)
tests_unit_os_test_sysdev_LDADD = $(OS_TEST_LIBS)
tests_unit_os_test_tree_LDADD = $(OS_TEST_LIBS)

check_PROGRAMS += \
	%D%/test_ctl \
	%D%/test_console \
	%D%/test_initkind \
	%D%/test_mountplan \
	%D%/test_phase \
	%D%/test_ring \
	%D%/test_session \
	%D%/test_session_keep \
	%D%/test_supervise \
	%D%/test_sync \
	%D%/test_sysinfo \
	%D%/test_text

MONITOR_TEST_LIBS = libmonitor.a libos.a libspec.a libcodec.a libbase.a $(MNL_LIBS) $(CMOCKA_LIBS)
tests_unit_monitor_test_console_LDADD = $(MONITOR_TEST_LIBS)
tests_unit_monitor_test_ctl_LDADD = $(MONITOR_TEST_LIBS)
tests_unit_monitor_test_initkind_LDADD = $(MONITOR_TEST_LIBS)
tests_unit_monitor_test_mountplan_LDADD = $(MONITOR_TEST_LIBS)
tests_unit_monitor_test_phase_LDADD = $(MONITOR_TEST_LIBS)
tests_unit_monitor_test_ring_LDADD = $(MONITOR_TEST_LIBS)
tests_unit_monitor_test_session_LDADD = $(MONITOR_TEST_LIBS)
tests_unit_monitor_test_session_keep_LDADD = $(MONITOR_TEST_LIBS)
tests_unit_monitor_test_supervise_LDADD = $(MONITOR_TEST_LIBS)
tests_unit_monitor_test_sync_LDADD = $(MONITOR_TEST_LIBS)
tests_unit_monitor_test_sysinfo_LDADD = $(MONITOR_TEST_LIBS)
tests_unit_monitor_test_text_LDADD = $(MONITOR_TEST_LIBS)

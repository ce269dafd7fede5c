check_PROGRAMS += \
	%D%/test_backups \
	%D%/test_db \
	%D%/test_snapshots

tests_unit_db_test_backups_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_db_test_backups_LDADD = libdb.a libspec.a libcodec.a libbase.a $(SQLITE_LIBS) $(CMOCKA_LIBS)
tests_unit_db_test_db_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_db_test_db_LDADD = libdb.a libspec.a libcodec.a libbase.a $(SQLITE_LIBS) $(CMOCKA_LIBS)
tests_unit_db_test_snapshots_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_db_test_snapshots_LDADD = libdb.a libspec.a libcodec.a libbase.a $(SQLITE_LIBS) $(CMOCKA_LIBS)

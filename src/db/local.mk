noinst_LIBRARIES += libdb.a
libdb_a_SOURCES = \
	%D%/copy.c %D%/copy.h \
	%D%/backups.c %D%/backups.h \
	%D%/db.c %D%/db.h \
	%D%/images.c %D%/images.h \
	%D%/instances.c %D%/instances.h \
	%D%/journal.c %D%/journal.h \
	%D%/migrate.c %D%/migrate.h \
	%D%/networks.c %D%/networks.h \
	%D%/pools.c %D%/pools.h \
	%D%/profiles.c %D%/profiles.h \
	%D%/rows.c %D%/rows.h \
	%D%/server.c %D%/server.h \
	%D%/snapshots.c %D%/snapshots.h \
	%D%/sql.c %D%/sql.h \
	%D%/volumes.c %D%/volumes.h
libdb_a_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_builddir)/src
libdb_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)

## Append-only: a released migration is never edited.
db_migrations = \
	%D%/migrations/0001-init.sql \
	%D%/migrations/0002-snapshots.sql \
	%D%/migrations/0003-volumes.sql \
	%D%/migrations/0004-backups.sql \
	%D%/migrations/0005-volume-snapshots.sql \
	%D%/migrations/0006-backups-of-volumes.sql
EXTRA_DIST += $(db_migrations)
BUILT_SOURCES += %D%/migrations.inc
CLEANFILES += %D%/migrations.inc

%D%/migrations.inc: $(db_migrations) tools/embed-sql
	$(AM_V_GEN)$(MKDIR_P) $(@D) && { for f in $(db_migrations); do \
		$(top_srcdir)/tools/embed-sql $(top_srcdir)/$$f || exit 1; done; } >$@.tmp && mv $@.tmp $@

%D%/libdb_a-migrate.$(OBJEXT): %D%/migrations.inc

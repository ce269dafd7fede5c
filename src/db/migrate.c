/*
 * db/migrate.c - see migrate.h
 *
 * The rows come from migrations/NNNN-name.sql; NNNN is the user_version that the file has afterwards.
 */
#include "db/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "db/copy.h"
#include "db/db.h"

const struct db_migration db_migrations[] = {
#include "db/migrations.inc"
};
const size_t db_n_migrations = ARRAY_LEN(db_migrations);

int db_read_version(struct db *db, int64_t *ret_version, struct err *err)
{
	int r = sql_number(db, "PRAGMA user_version", SQL_NO_ARGS, ret_version, err);

	return r < 0 ? r : 0;
}

/* A file that is not empty must be ours. */
static int check_owner(struct db *db, struct err *err)
{
	int64_t id = 0, tables = 0;
	int r = sql_number(db, "PRAGMA application_id", SQL_NO_ARGS, &id, err);

	if (r >= 0)
		r = sql_number(db, "SELECT count(*) FROM sqlite_schema", SQL_NO_ARGS, &tables, err);
	if (r < 0)
		return r;
	if (tables > 0 && id != DB_APPLICATION_ID)
		return err_kind(err, ERR_INTERNAL,
				"database: open: this is another program's file");
	return 0;
}

/* Leave "<path>.v<version>" behind; an older one of that name is replaced. */
static int keep_copy(struct db *db, const char *path, int64_t version, struct err *err)
{
	_cleanup_(freep) char *copy = xasprintf("%s.v%" PRIi64, path, version);

	return db_copy(db, copy, err);
}

static int apply(struct db *db, const struct db_migration *migration, size_t version,
		 struct err *err)
{
	char pragmas[128];
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	(void)snprintf(pragmas, sizeof(pragmas),
		       "PRAGMA application_id = %d; PRAGMA user_version = %zu;", DB_APPLICATION_ID,
		       version);
	r = sql_script(db, migration->text, migration->name, err);
	if (r == 0)
		r = sql_script(db, pragmas, migration->name, err);
	return db_end(db, r, err);
}

int db_migrate(struct db *db, const char *path, const struct db_migration *migrations, size_t n,
	       struct err *err)
{
	int64_t version = 0;
	int r = check_owner(db, err);

	if (r == 0)
		r = db_read_version(db, &version, err);
	if (r < 0)
		return r;
	if (version < 0 || version > (int64_t)n)
		return err_kind(err, ERR_UNSUPPORTED,
				"database: schema %" PRIi64
				" was written by a newer version; this one knows up to %zu",
				version, n);
	if (path && version > 0 && version < (int64_t)n)
		r = keep_copy(db, path, version, err);
	for (size_t i = (size_t)version; i < n && r == 0; i++)
		r = apply(db, &migrations[i], i + 1, err);
	return r;
}

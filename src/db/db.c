/* db/db.c - see db.h */
#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "db/migrate.h"
#include "db/sql.h"

enum {
	BUSY_MS = 250, /* an administrator's sqlite3 may hold the lock for a moment */
};

/*
 * FULL: what was answered as done survives a power cut. The cache is small because everything is
 * read once.
 */
static const char settings[] = "PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = FULL;"
			       "PRAGMA foreign_keys = ON;"
			       "PRAGMA trusted_schema = OFF;"
			       "PRAGMA temp_store = MEMORY;"
			       "PRAGMA cache_size = -1024;"
			       "PRAGMA journal_size_limit = 4194304;";

static void finalize(void *stmt)
{
	(void)sqlite3_finalize(stmt);
}

/* SQLite would create it with the umask's mode; its -wal and -shm get the mode of this one. */
static int create_file(const char *path, struct err *err)
{
	int r = 0, fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_set(err, -errno, "open database \"%s\"", path);
	if (fchmod(fd, 0600) < 0)
		r = err_set(err, -errno, "set mode of database \"%s\"", path);
	(void)close(fd);
	return r;
}

/* Once the schema is right, only rows are touched (threat E7). */
static int authorize(void *data, int action, const char *a, const char *b, const char *c,
		     const char *d)
{
	static const int allowed[] = {
		SQLITE_SELECT, SQLITE_READ,	   SQLITE_INSERT,    SQLITE_UPDATE,
		SQLITE_DELETE, SQLITE_TRANSACTION, SQLITE_SAVEPOINT, SQLITE_FUNCTION,
	};

	(void)data;
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		if (allowed[i] == action)
			return SQLITE_OK;
	return SQLITE_DENY;
}

static int prepare_use(struct db *db, const char *path, struct err *err)
{
	bool in_memory = streq(path, ":memory:");
	int r;

	(void)sqlite3_busy_timeout(db->handle, BUSY_MS);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	r = sql_script(db, settings, "open", err);
	if (r == 0)
		r = db_migrate(db, in_memory ? NULL : path, db_migrations, db_n_migrations, err);
	if (r == 0)
		r = db_read_version(db, &db->version, err);
	if (r == 0)
		(void)sqlite3_set_authorizer(db->handle, authorize, NULL);
	return r;
}

int db_open(const char *path, struct db **ret_db, struct err *err)
{
	_cleanup_(db_closep) struct db *db = xcalloc(1, sizeof(*db));
	int r = streq(path, ":memory:") ? 0 : create_file(path, err);

	if (r < 0)
		return r;
	db->statements.free_value = finalize;
	if (sqlite3_open_v2(path, &db->handle,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
			    NULL) != SQLITE_OK) {
		r = sql_fail(db, "open", err);
		(void)err_wrap(err, "\"%s\"", path);
		return r;
	}
	r = prepare_use(db, path, err);
	if (r < 0) {
		(void)err_wrap(err, "\"%s\"", path);
		return r;
	}
	*ret_db = TAKE_PTR(db);
	return 0;
}

struct db *db_close(struct db *db)
{
	if (!db)
		return NULL;
	while (db->depth > 0)
		db_rollback(db);
	strmap_done(&db->statements);
	(void)sqlite3_close(db->handle); /* cannot be busy: all statements are gone */
	free(db);
	return NULL;
}

void db_closep(struct db **db)
{
	*db = db_close(*db);
}

static int tx_command(struct db *db, const char *verb, unsigned int level, struct err *err)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s s%u", verb, level);
	return sql_script(db, text, "transaction", err);
}

int db_begin(struct db *db, struct err *err)
{
	int r;

	if (db->depth > 0 && sqlite3_get_autocommit(db->handle))
		return err_kind(err, ERR_INTERNAL,
				"database: write: the transaction was given up after an error");
	r = db->depth == 0 ? sql_script(db, "BEGIN IMMEDIATE", "begin", err)
			   : tx_command(db, "SAVEPOINT", db->depth, err);
	if (r == 0)
		db->depth++;
	return r;
}

int db_commit(struct db *db, struct err *err)
{
	int r;

	if (sqlite3_get_autocommit(db->handle))
		r = err_kind(err, ERR_INTERNAL,
			     "database: commit: the transaction was given up after an error");
	else if (db->depth == 1)
		r = sql_script(db, "COMMIT", "commit", err);
	else
		r = tx_command(db, "RELEASE", db->depth - 1, err);
	if (r < 0)
		db_rollback(db);
	else
		db->depth--;
	return r;
}

/* SQLite itself gives up the whole transaction after some errors; then nothing is left to undo. */
void db_rollback(struct db *db)
{
	bool gone = sqlite3_get_autocommit(db->handle);

	if (db->depth == 0)
		return;
	db->depth--;
	if (gone)
		return;
	if (db->depth == 0) {
		(void)sql_script(db, "ROLLBACK", "rollback", NULL); /* cannot fail here */
	} else {
		(void)tx_command(db, "ROLLBACK TO", db->depth, NULL);
		(void)tx_command(db, "RELEASE", db->depth, NULL);
	}
}

int db_end(struct db *db, int r, struct err *err)
{
	if (r < 0) {
		db_rollback(db);
		return r;
	}
	return db_commit(db, err);
}

int64_t db_schema_version(const struct db *db)
{
	return db->version;
}

int64_t db_changes(const struct db *db)
{
	return sqlite3_total_changes(db->handle);
}

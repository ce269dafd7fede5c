/* db/sql.c - see sql.h */
#include "db/sql.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "db/db.h"

static const struct {
	int result; /* primary result code */
	int code;
	enum err_kind kind;
	const char *words;
} failures[] = {
	{ SQLITE_FULL, -ENOSPC, ERR_INTERNAL, "no space left on the state directory's disk" },
	{ SQLITE_IOERR, -EIO, ERR_INTERNAL, "the disk reports an error" },
	{ SQLITE_CORRUPT, -EUCLEAN, ERR_INTERNAL, "the file is damaged" },
	{ SQLITE_NOTADB, -EUCLEAN, ERR_INTERNAL, "the file is no database" },
	{ SQLITE_READONLY, -EROFS, ERR_INTERNAL, "the file is read-only" },
	{ SQLITE_CANTOPEN, -ENOENT, ERR_INTERNAL, "the file cannot be opened" },
	{ SQLITE_BUSY, -EBUSY, ERR_UNAVAILABLE, "somebody else has locked it" },
	{ SQLITE_LOCKED, -EBUSY, ERR_UNAVAILABLE, "somebody else has locked it" },
	{ SQLITE_CONSTRAINT, -EEXIST, ERR_CONFLICT, "it contradicts what is there" },
	{ SQLITE_TOOBIG, -E2BIG, ERR_INVALID, "a value is too big" },
};

int sql_fail(struct db *db, const char *step, struct err *err)
{
	int result = sqlite3_extended_errcode(db->handle) & 0xff;
	const char *words = sqlite3_errmsg(db->handle);

	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		if (failures[i].result != result)
			continue;
		(void)err_kind(err, failures[i].kind, "database: %s: %s (%s)", step,
			       failures[i].words, words);
		if (err)
			err->code = failures[i].code;
		return failures[i].code;
	}
	(void)err_kind(err, ERR_INTERNAL, "database: %s: %s", step, words);
	return -EIO;
}

bool sql_violates(struct db *db, const char *what)
{
	return (sqlite3_extended_errcode(db->handle) & 0xff) == SQLITE_CONSTRAINT &&
	       strstr(sqlite3_errmsg(db->handle), what);
}

bool sql_violates_reference(struct db *db)
{
	return sqlite3_extended_errcode(db->handle) == SQLITE_CONSTRAINT_FOREIGNKEY;
}

static int prepare(struct db *db, const char *text, sqlite3_stmt **ret_stmt, struct err *err)
{
	sqlite3_stmt *stmt = strmap_get(&db->statements, text);

	if (!stmt) {
		if (sqlite3_prepare_v3(db->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt,
				       NULL) != SQLITE_OK)
			return sql_fail(db, "prepare", err);
		strmap_set_take(&db->statements, text, stmt);
	}
	*ret_stmt = stmt;
	return 0;
}

static int bind_all(struct db *db, sqlite3_stmt *stmt, struct sql_args args, struct err *err)
{
	for (size_t i = 0; i < args.n; i++) {
		const struct sql_value *value = &args.values[i];
		int result = value->is_text ? sqlite3_bind_text(stmt, (int)i + 1, value->text, -1,
								SQLITE_STATIC)
					    : sqlite3_bind_int64(stmt, (int)i + 1, value->number);

		if (result != SQLITE_OK)
			return sql_fail(db, "bind", err);
	}
	return 0;
}

int sql_query(struct db *db, const char *text, struct sql_args args, sqlite3_stmt **ret_stmt,
	      struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int r = prepare(db, text, &stmt, err);

	if (r == 0)
		r = bind_all(db, stmt, args, err);
	if (r == 0)
		*ret_stmt = stmt;
	return r;
}

int sql_step(struct db *db, sqlite3_stmt *stmt, struct err *err)
{
	int result = sqlite3_step(stmt), r = 0;

	if (result == SQLITE_ROW)
		return 1;
	if (result != SQLITE_DONE)
		r = sql_fail(db, "read", err);
	(void)sqlite3_reset(stmt); /* repeats the error */
	return r;
}

int sql_run(struct db *db, const char *text, struct sql_args args, struct err *err)
{
	sqlite3_stmt *stmt;
	int r, result;

	if (db->depth == 0 || sqlite3_get_autocommit(db->handle))
		return err_kind(err, ERR_INTERNAL,
				"database: write: the transaction was given up after an error");
	r = sql_query(db, text, args, &stmt, err);
	if (r < 0)
		return r;
	result = sqlite3_step(stmt);
	while (result == SQLITE_ROW)
		result = sqlite3_step(stmt);
	if (result != SQLITE_DONE)
		r = sql_fail(db, "write", err);
	(void)sqlite3_reset(stmt); /* repeats the error, which sql_violates() can still see */
	return r;
}

int sql_number(struct db *db, const char *text, struct sql_args args, int64_t *ret_number,
	       struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sql_query(db, text, args, &stmt, err);

	if (r < 0)
		return r;
	r = sql_step(db, stmt, err);
	if (r > 0) {
		*ret_number = sqlite3_column_int64(stmt, 0);
		(void)sqlite3_reset(stmt);
	}
	return r;
}

char *sql_text(sqlite3_stmt *stmt, int column)
{
	return xstrdup(sql_text_ref(stmt, column));
}

const char *sql_text_ref(sqlite3_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt, column);
}

int sql_run_alone(struct db *db, const char *text, struct sql_args args, struct err *err)
{
	int r = db_begin(db, err);

	return r < 0 ? r : db_end(db, sql_run(db, text, args, err), err);
}

int sql_script(struct db *db, const char *text, const char *step, struct err *err)
{
	if (sqlite3_exec(db->handle, text, NULL, NULL, NULL) != SQLITE_OK)
		return sql_fail(db, step, err);
	return 0;
}

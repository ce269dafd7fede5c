/*
 * db/db.h - the daemon's SQLite database: opening, migrating, transactions (db, sysctrd)
 *
 * Blocks on disk: a commit is on it when db_commit() returns (WAL, synchronous=FULL).
 *
 *   D1  sysctrd is the only writer and keeps everything in memory: load at start, then one
 *       transaction per change, memory changed only after it.
 *   D2  SQL is only in this directory; every value is bound.
 *   D3  Uniqueness is the database's: a violation comes back as ERR_CONFLICT in words.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct db;

/*
 * Open or create @path (0600) and migrate it; a copy "<path>.v<N>" is left beside it before an
 * existing one is changed. ":memory:" is for tests.
 * Errors: ERR_UNSUPPORTED when it was written by a newer version.
 */
int db_open(const char *path, struct db **ret_db, struct err *err);
struct db *db_close(struct db *db); /* returns NULL */
void db_closep(struct db **db);

/*
 * A transaction around several changes; may be nested: the inner ones are savepoints. Without one
 * each change is its own. After an error of a change, roll back; nothing of that change stays.
 */
int db_begin(struct db *db, struct err *err);
int db_commit(struct db *db, struct err *err); /* after an error it is rolled back */
void db_rollback(struct db *db);

/* The end of what db_begin() began: commit when @r is 0, else roll back and return @r. */
int db_end(struct db *db, int r, struct err *err);

/* The schema's number in this file. */
int64_t db_schema_version(const struct db *db);

/* Rows changed since it was opened: the same number twice is the same content. */
int64_t db_changes(const struct db *db);

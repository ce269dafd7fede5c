/* db/migrate.h - numbered, append-only changes of the schema (db, sysctrd) */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "db/sql.h"

enum {
	DB_APPLICATION_ID = 0x53435452 /* "SCTR": says in the file whose it is */
};

struct db_migration {
	const char *name;
	const char *text;
};

/* The migrations that were built in; the first one makes version 1. */
extern const struct db_migration db_migrations[];
extern const size_t db_n_migrations;

/*
 * Bring the schema up to date, one transaction per migration. @path: for the copy that is made
 * before; NULL: none.
 * Errors: ERR_UNSUPPORTED for a schema newer than this program.
 */
int db_migrate(struct db *db, const char *path, const struct db_migration *migrations, size_t n,
	       struct err *err);

/* PRAGMA user_version of what is open. */
int db_read_version(struct db *db, int64_t *ret_version, struct err *err);

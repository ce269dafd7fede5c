/*
 * db/sql.h - statements, rows and errors of SQLite for the files of this layer (db, sysctrd)
 *
 *   Q1  A statement is prepared once and kept; its text is a literal.
 *   Q2  Changes happen only inside db_begin(), so that an aborted transaction is never continued as
 *       single statements.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/macro.h"
#include "base/strmap.h"
#include "base/vec.h"

struct db {
	sqlite3 *handle;
	struct strmap statements; /* text -> sqlite3_stmt */
	unsigned int depth;	  /* of open transactions */
	int64_t version;	  /* of the schema */
};

/* A value to be bound: SQL_INT(id), SQL_TEXT(name); a NULL text is NULL. */
struct sql_value {
	bool is_text;
	int64_t number;
	const char *text; /* borrowed until the statement is done */
};
#define SQL_INT(n)  ((struct sql_value){ .number = (int64_t)(n) })
#define SQL_TEXT(s) ((struct sql_value){ .is_text = true, .text = (s) })

/* The values in the order of the statement's ?1, ?2, ... */
struct sql_args {
	const struct sql_value *values;
	size_t n;
};
#define SQL_ARGS(...)                                                           \
	((struct sql_args){ (const struct sql_value[]){ __VA_ARGS__ },          \
			    sizeof((const struct sql_value[]){ __VA_ARGS__ }) / \
				    sizeof(struct sql_value) })
#define SQL_NO_ARGS ((struct sql_args){ 0 })

/* Run a statement that changes rows. Errors: what sql_fail() makes of it. */
int sql_run(struct db *db, const char *text, struct sql_args args, struct err *err);

/* Begin a query; step it until sql_step() returns 0 or an error, which also resets it. */
int sql_query(struct db *db, const char *text, struct sql_args args, sqlite3_stmt **ret_stmt,
	      struct err *err);
int sql_step(struct db *db, sqlite3_stmt *stmt, struct err *err); /* 1: there is a row */

/* The single number that a query gives. Returns: 1, or 0 when there is no row. */
int sql_number(struct db *db, const char *text, struct sql_args args, int64_t *ret_number,
	       struct err *err);

char *sql_text(sqlite3_stmt *stmt, int column);		  /* new string, NULL for NULL */
const char *sql_text_ref(sqlite3_stmt *stmt, int column); /* borrowed until the next step */

/* Set *err from the last failure. Returns: ERR_CONFLICT's code for constraints, else -errno. */
int sql_fail(struct db *db, const char *step, struct err *err);

/* Whether the last failure was the constraint whose message holds @what ("leases.ipv4"). */
bool sql_violates(struct db *db, const char *what);
bool sql_violates_reference(struct db *db);

/* One statement as a transaction (or a savepoint in the one that is open). */
int sql_run_alone(struct db *db, const char *text, struct sql_args args, struct err *err);

/* Run the statements of @text, without arguments and cache; for pragmas and migrations. */
int sql_script(struct db *db, const char *text, const char *step, struct err *err);

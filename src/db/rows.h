/* db/rows.h - maps, devices and lists that hang on a row: child tables (db, sysctrd) */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "base/vec.h"
#include "db/sql.h"

/* What was loaded from a parent table, in order of id. */
struct rows_owner {
	int64_t id;
	void *object;
};
struct rows_owners {
	VEC(struct rows_owner) list;
	void (*free_object)(void *object);
};

/*
 * Run a query; each row becomes an object of @from_row. Where children follow, column 0 is the id
 * and the rows are ordered by it.
 */
int rows_load_owners(struct db *db, const char *query, void *(*from_row)(sqlite3_stmt *stmt),
		     struct rows_owners *owners, struct err *err);

/* Free what is still in it. */
void rows_owners_done(struct rows_owners *owners);

/*
 * Run a query whose column 0 is the parent's id, ordered by it, and hand each row to @add with its
 * owner: one statement for all owners.
 */
int rows_load_children(struct db *db, const char *query, const struct rows_owners *owners,
		       void (*add)(void *object, sqlite3_stmt *stmt), struct err *err);

/* Columns 1 and 2 into a map, 1 to 3 into a set of devices. */
void rows_add_to_map(struct strmap *map, sqlite3_stmt *stmt);
void rows_add_to_devices(struct strmap *devices, sqlite3_stmt *stmt);

/* The two statements of a child table: ?1 is the parent's id, then the columns. */
struct rows_child {
	const char *clear;
	const char *insert;
};

/* Replace all rows of the parent @id. */
int rows_write_map(struct db *db, const struct rows_child *child, int64_t id,
		   const struct strmap *map, struct err *err);
int rows_write_devices(struct db *db, const struct rows_child *child, int64_t id,
		       const struct strmap *devices, struct err *err);

/*
 * The same for a list of profile names: ?2 is the position, ?3 the profile's id.
 * Errors: ERR_NOT_FOUND for a profile that is not there.
 */
int rows_write_profiles(struct db *db, const struct rows_child *child, int64_t id,
			char *const *names, struct err *err);

/* How a record with child tables is stored; both functions work inside a transaction. */
struct rows_parent {
	const char *what; /* "instance", for messages */
	const char *insert;
	const char *update; /* WHERE id = ?1 */
	/* Bind the record to either statement: ?1 is its id, 0 for a new one. */
	int (*write_row)(struct db *db, const char *text, const void *record, struct err *err);
	/* The child tables of the row @id. */
	int (*write_rest)(struct db *db, int64_t id, const void *record, struct err *err);
};

/* @id: the record's own; 0 while its row is written, the new one on success. */
int rows_insert(struct db *db, const struct rows_parent *parent, const void *record, int64_t *id,
		struct err *err);

/* Errors: ERR_NOT_FOUND with @name when there is no row @id. */
int rows_update(struct db *db, const struct rows_parent *parent, const void *record, int64_t id,
		const char *name, struct err *err);

/* Fails with ERR_NOT_FOUND '<what> "<name>" not found' unless the last change hit a row. */
int rows_check_changed(struct db *db, const char *what, const char *name, struct err *err);

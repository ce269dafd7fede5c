/* db/rows.c - see rows.h */
#include "db/rows.h"

#include <stdlib.h>

#include "base/mem.h"
#include "db/db.h"
#include "spec/device.h"

int rows_load_owners(struct db *db, const char *query, void *(*from_row)(sqlite3_stmt *stmt),
		     struct rows_owners *owners, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sql_query(db, query, SQL_NO_ARGS, &stmt, err);

	if (r < 0)
		return r;
	while ((r = sql_step(db, stmt, err)) > 0)
		*vec_push(&owners->list) = (struct rows_owner){
			.id = sqlite3_column_int64(stmt, 0),
			.object = from_row(stmt),
		};
	return r;
}

void rows_owners_done(struct rows_owners *owners)
{
	vec_for_each(owner, &owners->list) {
		if (owner->object)
			owners->free_object(owner->object);
	}
	free(owners->list.items);
	owners->list.items = NULL;
	owners->list.len = owners->list.cap = 0;
}

int rows_load_children(struct db *db, const char *query, const struct rows_owners *owners,
		       void (*add)(void *object, sqlite3_stmt *stmt), struct err *err)
{
	sqlite3_stmt *stmt;
	size_t i = 0;
	int r = sql_query(db, query, SQL_NO_ARGS, &stmt, err);

	if (r < 0)
		return r;
	while ((r = sql_step(db, stmt, err)) > 0) {
		int64_t id = sqlite3_column_int64(stmt, 0);

		while (i < owners->list.len && owners->list.items[i].id < id)
			i++;
		if (i < owners->list.len && owners->list.items[i].id == id)
			add(owners->list.items[i].object, stmt);
	}
	return r;
}

void rows_add_to_map(struct strmap *map, sqlite3_stmt *stmt)
{
	strmap_set(map, sql_text_ref(stmt, 1), sql_text_ref(stmt, 2));
}

void rows_add_to_devices(struct strmap *devices, sqlite3_stmt *stmt)
{
	struct strmap *device = devices_add(devices, sql_text_ref(stmt, 1));
	const char *key = sql_text_ref(stmt, 2);

	if (key[0] != '\0')
		strmap_set(device, key, sql_text_ref(stmt, 3));
}

int rows_write_map(struct db *db, const struct rows_child *child, int64_t id,
		   const struct strmap *map, struct err *err)
{
	int r = sql_run(db, child->clear, SQL_ARGS(SQL_INT(id)), err);

	for (size_t i = 0; i < map->len && r == 0; i++)
		r = sql_run(db, child->insert,
			    SQL_ARGS(SQL_INT(id), SQL_TEXT(map->items[i].key),
				     SQL_TEXT(map->items[i].value)),
			    err);
	return r;
}

static int write_device(struct db *db, const struct rows_child *child, int64_t id, const char *name,
			const struct strmap *device, struct err *err)
{
	int r = 0;

	if (device->len == 0)
		return sql_run(db, child->insert,
			       SQL_ARGS(SQL_INT(id), SQL_TEXT(name), SQL_TEXT(""), SQL_TEXT("")),
			       err);
	for (size_t i = 0; i < device->len && r == 0; i++)
		r = sql_run(db, child->insert,
			    SQL_ARGS(SQL_INT(id), SQL_TEXT(name), SQL_TEXT(device->items[i].key),
				     SQL_TEXT(device->items[i].value)),
			    err);
	return r;
}

int rows_write_devices(struct db *db, const struct rows_child *child, int64_t id,
		       const struct strmap *devices, struct err *err)
{
	int r = sql_run(db, child->clear, SQL_ARGS(SQL_INT(id)), err);

	for (size_t i = 0; i < devices->len && r == 0; i++)
		r = write_device(db, child, id, devices->items[i].key, devices->items[i].value,
				 err);
	return r;
}

int rows_write_profiles(struct db *db, const struct rows_child *child, int64_t id,
			char *const *names, struct err *err)
{
	int r = sql_run(db, child->clear, SQL_ARGS(SQL_INT(id)), err);

	for (size_t i = 0; names && names[i] && r == 0; i++) {
		int64_t profile_id = 0;

		r = sql_number(db, "SELECT id FROM profiles WHERE name = ?1",
			       SQL_ARGS(SQL_TEXT(names[i])), &profile_id, err);
		if (r == 0)
			return err_kind(err, ERR_NOT_FOUND, "profile \"%s\" not found", names[i]);
		if (r > 0)
			r = sql_run(db, child->insert,
				    SQL_ARGS(SQL_INT(id), SQL_INT(i), SQL_INT(profile_id)), err);
		if (r < 0 && sql_violates(db, ".profile_id"))
			return err_kind(err, ERR_INVALID, "profile \"%s\" is listed twice",
					names[i]);
	}
	return r;
}

int rows_check_changed(struct db *db, const char *what, const char *name, struct err *err)
{
	if (sqlite3_changes(db->handle) > 0)
		return 0;
	return err_kind(err, ERR_NOT_FOUND, "%s \"%s\" not found", what, name);
}

int rows_insert(struct db *db, const struct rows_parent *parent, const void *record, int64_t *id,
		struct err *err)
{
	int64_t new_id = 0;
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	*id = 0;
	r = parent->write_row(db, parent->insert, record, err);
	if (r == 0) {
		new_id = sqlite3_last_insert_rowid(db->handle);
		r = parent->write_rest(db, new_id, record, err);
	}
	r = db_end(db, r, err);
	if (r == 0)
		*id = new_id;
	return r;
}

int rows_update(struct db *db, const struct rows_parent *parent, const void *record, int64_t id,
		const char *name, struct err *err)
{
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	r = parent->write_row(db, parent->update, record, err);
	if (r == 0)
		r = rows_check_changed(db, parent->what, name, err);
	if (r == 0)
		r = parent->write_rest(db, id, record, err);
	return db_end(db, r, err);
}

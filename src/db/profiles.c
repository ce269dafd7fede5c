/* db/profiles.c - see profiles.h */
#include "db/profiles.h"

#include "db/rows.h"
#include "db/sql.h"

static const struct rows_child config_rows = {
	"DELETE FROM profile_config WHERE profile_id = ?1",
	"INSERT INTO profile_config (profile_id, key, value) VALUES (?1, ?2, ?3)",
};

static const struct rows_child device_rows = {
	"DELETE FROM profile_devices WHERE profile_id = ?1",
	"INSERT INTO profile_devices (profile_id, device, key, value) VALUES (?1, ?2, ?3, ?4)",
};

static const char select_all[] = "SELECT id, name, description FROM profiles ORDER BY id";

static void free_record(void *object)
{
	profile_record_free(object);
}

static void *from_row(sqlite3_stmt *stmt)
{
	struct profile_record *record = profile_record_new(sql_text_ref(stmt, 1));

	record->id = sqlite3_column_int64(stmt, 0);
	record->description = sql_text(stmt, 2);
	return record;
}

static void add_config(void *object, sqlite3_stmt *stmt)
{
	rows_add_to_map(&((struct profile_record *)object)->config, stmt);
}

static void add_device(void *object, sqlite3_stmt *stmt)
{
	rows_add_to_devices(&((struct profile_record *)object)->devices, stmt);
}

int db_profiles_load(struct db *db, void (*take)(void *data, struct profile_record *record),
		     void *data, struct err *err)
{
	struct rows_owners owners = { .free_object = free_record };
	int r = rows_load_owners(db, select_all, from_row, &owners, err);

	if (r == 0)
		r = rows_load_children(db,
				       "SELECT profile_id, key, value FROM profile_config"
				       " ORDER BY profile_id, key",
				       &owners, add_config, err);
	if (r == 0)
		r = rows_load_children(db,
				       "SELECT profile_id, device, key, value FROM profile_devices"
				       " ORDER BY profile_id, device, key",
				       &owners, add_device, err);
	for (size_t i = 0; i < owners.list.len && r == 0; i++)
		take(data, TAKE_PTR(owners.list.items[i].object));
	rows_owners_done(&owners);
	return r;
}

static int write_row(struct db *db, const char *text, const void *object, struct err *err)
{
	const struct profile_record *record = object;
	int r = sql_run(db, text,
			SQL_ARGS(SQL_INT(record->id), SQL_TEXT(record->name),
				 SQL_TEXT(record->description)),
			err);

	if (r < 0 && sql_violates(db, "profiles.name"))
		return err_kind(err, ERR_CONFLICT, "profile \"%s\" exists already", record->name);
	return r;
}

static int write_rest(struct db *db, int64_t id, const void *object, struct err *err)
{
	const struct profile_record *record = object;
	int r = rows_write_map(db, &config_rows, id, &record->config, err);

	return r < 0 ? r : rows_write_devices(db, &device_rows, id, &record->devices, err);
}

static const struct rows_parent parent = {
	.what = "profile",
	.insert = "INSERT INTO profiles (id, name, description) VALUES (nullif(?1, 0), ?2, ?3)",
	.update = "UPDATE profiles SET name = ?2, description = ?3 WHERE id = ?1",
	.write_row = write_row,
	.write_rest = write_rest,
};

int db_profile_insert(struct db *db, struct profile_record *record, struct err *err)
{
	return rows_insert(db, &parent, record, &record->id, err);
}

int db_profile_update(struct db *db, const struct profile_record *record, struct err *err)
{
	return rows_update(db, &parent, record, record->id, record->name, err);
}

int db_profile_delete(struct db *db, int64_t id, struct err *err)
{
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	r = sql_run(db, "DELETE FROM profiles WHERE id = ?1", SQL_ARGS(SQL_INT(id)), err);
	if (r < 0 && sql_violates_reference(db))
		r = err_kind(err, ERR_CONFLICT, "profile is in use by instances");
	return db_end(db, r, err);
}

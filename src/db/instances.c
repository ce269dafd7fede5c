/* db/instances.c - see instances.h */
#include "db/instances.h"

#include "base/mem.h"
#include "base/str.h"
#include "db/rows.h"
#include "db/sql.h"

static const struct rows_child config_rows = {
	"DELETE FROM instance_config WHERE instance_id = ?1",
	"INSERT INTO instance_config (instance_id, key, value) VALUES (?1, ?2, ?3)",
};

static const struct rows_child device_rows = {
	"DELETE FROM instance_devices WHERE instance_id = ?1",
	"INSERT INTO instance_devices (instance_id, device, key, value) VALUES (?1, ?2, ?3, ?4)",
};

static const struct rows_child profile_rows = {
	"DELETE FROM instance_profiles WHERE instance_id = ?1",
	"INSERT INTO instance_profiles (instance_id, position, profile_id) VALUES (?1, ?2, ?3)",
};

static const char select_all[] =
	"SELECT i.id, i.name, i.description, i.architecture, p.name, i.image_fingerprint,"
	" i.ephemeral, i.created_ns, i.last_used_ns, i.power, r.base, r.count"
	" FROM instances i LEFT JOIN pools p ON p.id = i.pool_id"
	" LEFT JOIN id_ranges r ON r.instance_id = i.id ORDER BY i.id";

static void free_record(void *object)
{
	inst_record_free(object);
}

static void *from_row(sqlite3_stmt *stmt)
{
	struct inst_record *record = inst_record_new(sql_text_ref(stmt, 1));

	record->id = sqlite3_column_int64(stmt, 0);
	record->description = sql_text(stmt, 2);
	record->architecture = sql_text(stmt, 3);
	record->pool = sql_text(stmt, 4);
	record->image_fingerprint = sql_text(stmt, 5);
	record->ephemeral = sqlite3_column_int64(stmt, 6);
	record->created_wall_ns = sqlite3_column_int64(stmt, 7);
	record->last_used_wall_ns = sqlite3_column_int64(stmt, 8);
	record->power = sql_text(stmt, 9);
	record->id_base = (uint32_t)sqlite3_column_int64(stmt, 10);
	record->id_count = (uint32_t)sqlite3_column_int64(stmt, 11);
	return record;
}

static void add_config(void *object, sqlite3_stmt *stmt)
{
	rows_add_to_map(&((struct inst_record *)object)->config, stmt);
}

static void add_device(void *object, sqlite3_stmt *stmt)
{
	rows_add_to_devices(&((struct inst_record *)object)->devices, stmt);
}

static void add_profile(void *object, sqlite3_stmt *stmt)
{
	strv_push(&((struct inst_record *)object)->profiles, sql_text_ref(stmt, 1));
}

static int load_all(struct db *db, struct rows_owners *owners, struct err *err)
{
	int r = rows_load_owners(db, select_all, from_row, owners, err);

	if (r == 0)
		r = rows_load_children(db,
				       "SELECT instance_id, key, value FROM instance_config"
				       " ORDER BY instance_id, key",
				       owners, add_config, err);
	if (r == 0)
		r = rows_load_children(db,
				       "SELECT instance_id, device, key, value"
				       " FROM instance_devices ORDER BY instance_id, device, key",
				       owners, add_device, err);
	if (r == 0)
		r = rows_load_children(db,
				       "SELECT ip.instance_id, p.name FROM instance_profiles ip"
				       " JOIN profiles p ON p.id = ip.profile_id"
				       " ORDER BY ip.instance_id, ip.position",
				       owners, add_profile, err);
	return r;
}

int db_instances_load(struct db *db, void (*take)(void *data, struct inst_record *record),
		      void *data, struct err *err)
{
	struct rows_owners owners = { .free_object = free_record };
	int r = load_all(db, &owners, err);

	for (size_t i = 0; i < owners.list.len && r == 0; i++)
		take(data, TAKE_PTR(owners.list.items[i].object));
	rows_owners_done(&owners);
	return r;
}

/* Id of the pool @name; 0 for NULL. */
static int find_pool(struct db *db, const char *name, int64_t *ret_id, struct err *err)
{
	int r;

	*ret_id = 0;
	if (!name)
		return 0;
	r = sql_number(db, "SELECT id FROM pools WHERE name = ?1", SQL_ARGS(SQL_TEXT(name)), ret_id,
		       err);
	if (r == 0)
		return err_kind(err, ERR_NOT_FOUND, "storage pool \"%s\" not found", name);
	return r < 0 ? r : 0;
}

static int write_row(struct db *db, const char *text, const void *object, struct err *err)
{
	const struct inst_record *record = object;
	int64_t pool_id;
	int r = find_pool(db, record->pool, &pool_id, err);

	if (r < 0)
		return r;
	r = sql_run(db, text,
		    SQL_ARGS(SQL_INT(record->id), SQL_TEXT(record->name),
			     SQL_TEXT(record->description), SQL_TEXT(record->architecture),
			     SQL_INT(pool_id), SQL_TEXT(record->image_fingerprint),
			     SQL_INT(record->ephemeral), SQL_INT(record->created_wall_ns),
			     SQL_INT(record->last_used_wall_ns), SQL_TEXT(record->power)),
		    err);
	if (r < 0 && sql_violates(db, "instances.name"))
		return err_kind(err, ERR_CONFLICT, "instance \"%s\" exists already", record->name);
	return r;
}

static int write_range(struct db *db, int64_t id, const struct inst_record *record, struct err *err)
{
	int r = sql_run(db, "DELETE FROM id_ranges WHERE instance_id = ?1", SQL_ARGS(SQL_INT(id)),
			err);

	if (r < 0 || record->id_count == 0)
		return r;
	r = sql_run(db, "INSERT INTO id_ranges (base, count, instance_id) VALUES (?1, ?2, ?3)",
		    SQL_ARGS(SQL_INT(record->id_base), SQL_INT(record->id_count), SQL_INT(id)),
		    err);
	if (r < 0 && sql_violates(db, "id_ranges"))
		return err_kind(err, ERR_CONFLICT,
				"instance \"%s\": ids %u to %u belong to another instance",
				record->name, record->id_base,
				record->id_base + record->id_count - 1);
	return r;
}

static int write_rest(struct db *db, int64_t id, const void *object, struct err *err)
{
	const struct inst_record *record = object;
	int r = write_range(db, id, record, err);

	if (r == 0)
		r = rows_write_map(db, &config_rows, id, &record->config, err);
	if (r == 0)
		r = rows_write_devices(db, &device_rows, id, &record->devices, err);
	if (r == 0)
		r = rows_write_profiles(db, &profile_rows, id, record->profiles, err);
	return r;
}

static const struct rows_parent parent = {
	.what = "instance",
	.insert = "INSERT INTO instances (id, name, description, architecture, pool_id,"
		  " image_fingerprint, ephemeral, created_ns, last_used_ns, power)"
		  " VALUES (nullif(?1, 0), ?2, ?3, ?4, nullif(?5, 0), ?6, ?7, ?8, ?9, ?10)",
	.update = "UPDATE instances SET name = ?2, description = ?3, architecture = ?4,"
		  " pool_id = nullif(?5, 0), image_fingerprint = ?6, ephemeral = ?7,"
		  " created_ns = ?8, last_used_ns = ?9, power = ?10 WHERE id = ?1",
	.write_row = write_row,
	.write_rest = write_rest,
};

int db_instance_insert(struct db *db, struct inst_record *record, struct err *err)
{
	return rows_insert(db, &parent, record, &record->id, err);
}

int db_instance_update(struct db *db, const struct inst_record *record, struct err *err)
{
	return rows_update(db, &parent, record, record->id, record->name, err);
}

int db_instance_set_config(struct db *db, int64_t id, const char *key, const char *value,
			   struct err *err)
{
	if (!value)
		return sql_run_alone(
			db, "DELETE FROM instance_config WHERE instance_id = ?1 AND key = ?2",
			SQL_ARGS(SQL_INT(id), SQL_TEXT(key)), err);
	return sql_run_alone(
		db,
		"INSERT INTO instance_config (instance_id, key, value) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (instance_id, key) DO UPDATE SET value = ?3",
		SQL_ARGS(SQL_INT(id), SQL_TEXT(key), SQL_TEXT(value)), err);
}

int db_instance_set_power(struct db *db, int64_t id, const char *power, struct err *err)
{
	return sql_run_alone(db, "UPDATE instances SET power = ?2 WHERE id = ?1",
			     SQL_ARGS(SQL_INT(id), SQL_TEXT(power)), err);
}

int db_instance_set_last_used(struct db *db, int64_t id, int64_t wall_ns, struct err *err)
{
	return sql_run_alone(db, "UPDATE instances SET last_used_ns = ?2 WHERE id = ?1",
			     SQL_ARGS(SQL_INT(id), SQL_INT(wall_ns)), err);
}

int db_instance_delete(struct db *db, int64_t id, struct err *err)
{
	return sql_run_alone(db, "DELETE FROM instances WHERE id = ?1", SQL_ARGS(SQL_INT(id)), err);
}

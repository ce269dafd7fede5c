/* db/snapshots.c - see snapshots.h */
#include "db/snapshots.h"

#include "base/mem.h"
#include "base/str.h"
#include "db/rows.h"
#include "db/sql.h"

static const struct rows_child config_rows = {
	"DELETE FROM snapshot_config WHERE snapshot_id = ?1",
	"INSERT INTO snapshot_config (snapshot_id, key, value) VALUES (?1, ?2, ?3)",
};

static const struct rows_child device_rows = {
	"DELETE FROM snapshot_devices WHERE snapshot_id = ?1",
	"INSERT INTO snapshot_devices (snapshot_id, device, key, value) VALUES (?1, ?2, ?3, ?4)",
};

static const char select_all[] =
	"SELECT id, instance_id, name, volume, description, architecture, image_fingerprint,"
	" ephemeral, last_used_ns, created_ns, expires_ns, scheduled, size"
	" FROM snapshots ORDER BY id";

static void free_record(void *object)
{
	snap_record_free(object);
}

static void *from_row(sqlite3_stmt *stmt)
{
	struct snap_record *record = snap_record_new(sql_text_ref(stmt, 2));

	record->id = sqlite3_column_int64(stmt, 0);
	record->instance_id = sqlite3_column_int64(stmt, 1);
	record->volume = sql_text(stmt, 3);
	record->inst->description = sql_text(stmt, 4);
	record->inst->architecture = sql_text(stmt, 5);
	record->inst->image_fingerprint = sql_text(stmt, 6);
	record->inst->ephemeral = sqlite3_column_int64(stmt, 7);
	record->inst->last_used_wall_ns = sqlite3_column_int64(stmt, 8);
	record->created_wall_ns = sqlite3_column_int64(stmt, 9);
	record->expires_wall_ns = sqlite3_column_int64(stmt, 10);
	record->scheduled = sqlite3_column_int64(stmt, 11);
	record->size_bytes = (uint64_t)sqlite3_column_int64(stmt, 12);
	return record;
}

static void add_config(void *object, sqlite3_stmt *stmt)
{
	rows_add_to_map(&((struct snap_record *)object)->inst->config, stmt);
}

static void add_device(void *object, sqlite3_stmt *stmt)
{
	rows_add_to_devices(&((struct snap_record *)object)->inst->devices, stmt);
}

static void add_profile(void *object, sqlite3_stmt *stmt)
{
	strv_push(&((struct snap_record *)object)->inst->profiles, sql_text_ref(stmt, 1));
}

static int load_all(struct db *db, struct rows_owners *owners, struct err *err)
{
	int r = rows_load_owners(db, select_all, from_row, owners, err);

	if (r == 0)
		r = rows_load_children(db,
				       "SELECT snapshot_id, key, value FROM snapshot_config"
				       " ORDER BY snapshot_id, key",
				       owners, add_config, err);
	if (r == 0)
		r = rows_load_children(db,
				       "SELECT snapshot_id, device, key, value"
				       " FROM snapshot_devices ORDER BY snapshot_id, device, key",
				       owners, add_device, err);
	if (r == 0)
		r = rows_load_children(db,
				       "SELECT sp.snapshot_id, coalesce(p.name, sp.name)"
				       " FROM snapshot_profiles sp"
				       " LEFT JOIN profiles p ON p.id = sp.profile_id"
				       " ORDER BY sp.snapshot_id, sp.position",
				       owners, add_profile, err);
	return r;
}

int db_snapshots_load(struct db *db, void (*take)(void *data, struct snap_record *record),
		      void *data, struct err *err)
{
	struct rows_owners owners = { .free_object = free_record };
	int r = load_all(db, &owners, err);

	for (size_t i = 0; i < owners.list.len && r == 0; i++)
		take(data, TAKE_PTR(owners.list.items[i].object));
	rows_owners_done(&owners);
	return r;
}

static int write_row(struct db *db, const char *text, const void *object, struct err *err)
{
	const struct snap_record *record = object;
	const struct inst_record *inst = record->inst;
	int r = sql_run(db, text,
			SQL_ARGS(SQL_INT(record->id), SQL_INT(record->instance_id),
				 SQL_TEXT(record->name), SQL_TEXT(record->volume),
				 SQL_TEXT(inst->description), SQL_TEXT(inst->architecture),
				 SQL_TEXT(inst->image_fingerprint), SQL_INT(inst->ephemeral),
				 SQL_INT(inst->last_used_wall_ns), SQL_INT(record->created_wall_ns),
				 SQL_INT(record->expires_wall_ns), SQL_INT(record->scheduled),
				 SQL_INT(record->size_bytes)),
			err);

	if (r < 0 && sql_violates(db, "snapshots.name"))
		return err_kind(err, ERR_CONFLICT, "snapshot \"%s\" exists already", record->name);
	return r;
}

static int write_profiles(struct db *db, int64_t id, char *const *names, struct err *err)
{
	int r = 0;

	for (size_t i = 0; names && names[i] && r == 0; i++)
		r = sql_run(
			db,
			"INSERT INTO snapshot_profiles (snapshot_id, position, profile_id, name)"
			" VALUES (?1, ?2, (SELECT id FROM profiles WHERE name = ?3), ?3)",
			SQL_ARGS(SQL_INT(id), SQL_INT(i), SQL_TEXT(names[i])), err);
	return r;
}

static int write_rest(struct db *db, int64_t id, const void *object, struct err *err)
{
	const struct inst_record *inst = ((const struct snap_record *)object)->inst;
	int r = rows_write_map(db, &config_rows, id, &inst->config, err);

	if (r == 0)
		r = rows_write_devices(db, &device_rows, id, &inst->devices, err);
	if (r == 0)
		r = write_profiles(db, id, inst->profiles, err);
	return r;
}

/* There is no update: what a snapshot holds does not change. */
static const struct rows_parent parent = {
	.what = "snapshot",
	.insert = "INSERT INTO snapshots (id, instance_id, name, volume, description,"
		  " architecture, image_fingerprint, ephemeral, last_used_ns, created_ns,"
		  " expires_ns, scheduled, size) VALUES (nullif(?1, 0), ?2, ?3, ?4, ?5, ?6, ?7,"
		  " ?8, ?9, ?10, ?11, ?12, ?13)",
	.write_row = write_row,
	.write_rest = write_rest,
};

int db_snapshot_insert(struct db *db, struct snap_record *record, struct err *err)
{
	return rows_insert(db, &parent, record, &record->id, err);
}

int db_snapshot_rename(struct db *db, int64_t id, const char *name, struct err *err)
{
	int r = sql_run_alone(db, "UPDATE snapshots SET name = ?2 WHERE id = ?1",
			      SQL_ARGS(SQL_INT(id), SQL_TEXT(name)), err);

	if (r < 0 && sql_violates(db, "snapshots.name"))
		return err_kind(err, ERR_CONFLICT, "snapshot \"%s\" exists already", name);
	return r;
}

int db_snapshot_set_expiry(struct db *db, int64_t id, int64_t wall_ns, struct err *err)
{
	return sql_run_alone(db, "UPDATE snapshots SET expires_ns = ?2 WHERE id = ?1",
			     SQL_ARGS(SQL_INT(id), SQL_INT(wall_ns)), err);
}

int db_snapshot_delete(struct db *db, int64_t id, struct err *err)
{
	return sql_run_alone(db, "DELETE FROM snapshots WHERE id = ?1", SQL_ARGS(SQL_INT(id)), err);
}

/* One set of statements per table. */
struct db_runs {
	const char *set, *erase, *load;
};

const struct db_runs db_instance_runs = {
	.set = "INSERT INTO snapshot_runs (instance_id, schedule, next_ns)"
	       " VALUES (?1, ?2, ?3) ON CONFLICT (instance_id) DO UPDATE"
	       " SET schedule = ?2, next_ns = ?3",
	.erase = "DELETE FROM snapshot_runs WHERE instance_id = ?1",
	.load = "SELECT instance_id, schedule, next_ns FROM snapshot_runs",
};

const struct db_runs db_volume_runs = {
	.set = "INSERT INTO volume_runs (volume_id, schedule, next_ns)"
	       " VALUES (?1, ?2, ?3) ON CONFLICT (volume_id) DO UPDATE"
	       " SET schedule = ?2, next_ns = ?3",
	.erase = "DELETE FROM volume_runs WHERE volume_id = ?1",
	.load = "SELECT volume_id, schedule, next_ns FROM volume_runs",
};

int db_run_set(struct db *db, const struct db_runs *runs, int64_t id, const char *schedule,
	       int64_t next_wall_ns, struct err *err)
{
	if (!schedule)
		return sql_run_alone(db, runs->erase, SQL_ARGS(SQL_INT(id)), err);
	return sql_run_alone(db, runs->set,
			     SQL_ARGS(SQL_INT(id), SQL_TEXT(schedule), SQL_INT(next_wall_ns)), err);
}

int db_runs_load(struct db *db, const struct db_runs *runs,
		 void (*take)(void *data, int64_t id, const char *schedule, int64_t next_wall_ns),
		 void *data, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sql_query(db, runs->load, SQL_NO_ARGS, &stmt, err);

	if (r < 0)
		return r;
	while ((r = sql_step(db, stmt, err)) > 0)
		take(data, sqlite3_column_int64(stmt, 0), sql_text_ref(stmt, 1),
		     sqlite3_column_int64(stmt, 2));
	return r;
}

/* db/volumes.c - see volumes.h */
#include "db/volumes.h"

#include "base/mem.h"
#include "db/rows.h"
#include "db/sql.h"

static const struct rows_child config_rows = {
	"DELETE FROM volume_config WHERE volume_id = ?1",
	"INSERT INTO volume_config (volume_id, key, value) VALUES (?1, ?2, ?3)",
};

static void free_record(void *object)
{
	volume_record_free(object);
}

static void *from_row(sqlite3_stmt *stmt)
{
	struct volume_record *record =
		volume_record_new(sql_text_ref(stmt, 1), sql_text_ref(stmt, 2));

	record->id = sqlite3_column_int64(stmt, 0);
	record->volume = sql_text(stmt, 3);
	record->description = sql_text(stmt, 4);
	record->created_wall_ns = sqlite3_column_int64(stmt, 5);
	return record;
}

static void add_config(void *object, sqlite3_stmt *stmt)
{
	rows_add_to_map(&((struct volume_record *)object)->config, stmt);
}

int db_volumes_load(struct db *db, void (*take)(void *data, struct volume_record *record),
		    void *data, struct err *err)
{
	struct rows_owners owners = { .free_object = free_record };
	int r = rows_load_owners(
		db,
		"SELECT v.id, p.name, v.name, v.volume, v.description, v.created_ns"
		" FROM volumes v JOIN pools p ON p.id = v.pool_id ORDER BY v.id",
		from_row, &owners, err);

	if (r == 0)
		r = rows_load_children(db,
				       "SELECT volume_id, key, value FROM volume_config"
				       " ORDER BY volume_id, key",
				       &owners, add_config, err);
	for (size_t i = 0; i < owners.list.len && r == 0; i++)
		take(data, TAKE_PTR(owners.list.items[i].object));
	rows_owners_done(&owners);
	return r;
}

static int write_row(struct db *db, const char *text, const void *object, struct err *err)
{
	const struct volume_record *record = object;
	int r = sql_run(db, text,
			SQL_ARGS(SQL_INT(record->id), SQL_TEXT(record->pool),
				 SQL_TEXT(record->name), SQL_TEXT(record->volume),
				 SQL_TEXT(record->description), SQL_INT(record->created_wall_ns)),
			err);

	if (r < 0 && sql_violates(db, "volumes.name"))
		return err_kind(err, ERR_CONFLICT,
				"storage volume \"%s\" exists already in pool \"%s\"", record->name,
				record->pool);
	if (r < 0 && sql_violates(db, "volumes.pool_id"))
		return err_kind(err, ERR_NOT_FOUND, "Storage pool not found: \"%s\"", record->pool);
	return r;
}

static int write_rest(struct db *db, int64_t id, const void *object, struct err *err)
{
	const struct volume_record *record = object;

	return rows_write_map(db, &config_rows, id, &record->config, err);
}

static const struct rows_parent parent = {
	.what = "storage volume",
	.insert = "INSERT INTO volumes (id, pool_id, name, volume, description, created_ns)"
		  " VALUES (nullif(?1, 0), (SELECT id FROM pools WHERE name = ?2), ?3, ?4, ?5, ?6)",
	.update = "UPDATE volumes SET pool_id = (SELECT id FROM pools WHERE name = ?2), name = ?3,"
		  " volume = ?4, description = ?5, created_ns = ?6 WHERE id = ?1",
	.write_row = write_row,
	.write_rest = write_rest,
};

int db_volume_insert(struct db *db, struct volume_record *record, struct err *err)
{
	return rows_insert(db, &parent, record, &record->id, err);
}

int db_volume_update(struct db *db, const struct volume_record *record, struct err *err)
{
	return rows_update(db, &parent, record, record->id, record->name, err);
}

int db_volume_delete(struct db *db, int64_t id, struct err *err)
{
	return sql_run_alone(db, "DELETE FROM volumes WHERE id = ?1", SQL_ARGS(SQL_INT(id)), err);
}

/* ---- snapshots ---- */

static void free_snap(void *object)
{
	volume_snap_free(object);
}

static void *snap_from_row(sqlite3_stmt *stmt)
{
	struct volume_snap *snap = volume_snap_new(sql_text_ref(stmt, 2));

	snap->id = sqlite3_column_int64(stmt, 0);
	snap->volume_id = sqlite3_column_int64(stmt, 1);
	snap->volume = sql_text(stmt, 3);
	snap->description = sql_text(stmt, 4);
	snap->created_wall_ns = sqlite3_column_int64(stmt, 5);
	snap->size_bytes = (uint64_t)sqlite3_column_int64(stmt, 6);
	snap->expires_wall_ns = sqlite3_column_int64(stmt, 7);
	snap->scheduled = sqlite3_column_int64(stmt, 8) != 0;
	return snap;
}

int db_volume_snaps_load(struct db *db, void (*take)(void *data, struct volume_snap *snap),
			 void *data, struct err *err)
{
	struct rows_owners owners = { .free_object = free_snap };
	int r = rows_load_owners(
		db,
		"SELECT id, volume_id, name, volume, description, created_ns, size,"
		" expires_ns, scheduled FROM volume_snapshots ORDER BY id",
		snap_from_row, &owners, err);

	for (size_t i = 0; i < owners.list.len && r == 0; i++)
		take(data, TAKE_PTR(owners.list.items[i].object));
	rows_owners_done(&owners);
	return r;
}

static int write_snap(struct db *db, const char *text, const void *object, struct err *err)
{
	const struct volume_snap *snap = object;
	int r = sql_run(db, text,
			SQL_ARGS(SQL_INT(snap->id), SQL_INT(snap->volume_id), SQL_TEXT(snap->name),
				 SQL_TEXT(snap->volume), SQL_TEXT(snap->description),
				 SQL_INT(snap->created_wall_ns), SQL_INT(snap->size_bytes),
				 SQL_INT(snap->expires_wall_ns), SQL_INT(snap->scheduled)),
			err);

	if (r < 0 && sql_violates(db, "volume_snapshots.name"))
		return err_kind(err, ERR_CONFLICT, "snapshot \"%s\" exists already", snap->name);
	return r;
}

static int write_nothing(struct db *db, int64_t id, const void *object, struct err *err)
{
	(void)db;
	(void)id;
	(void)object;
	(void)err;
	return 0;
}

static const struct rows_parent snap_parent = {
	.what = "snapshot",
	.insert = "INSERT INTO volume_snapshots"
		  " (id, volume_id, name, volume, description, created_ns, size,"
		  "  expires_ns, scheduled)"
		  " VALUES (nullif(?1, 0), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	.update = NULL,
	.write_row = write_snap,
	.write_rest = write_nothing,
};

int db_volume_snap_insert(struct db *db, struct volume_snap *snap, struct err *err)
{
	return rows_insert(db, &snap_parent, snap, &snap->id, err);
}

int db_volume_snap_update(struct db *db, const struct volume_snap *snap, struct err *err)
{
	int r = sql_run_alone(db,
			      "UPDATE volume_snapshots SET name = ?2, description = ?3,"
			      " expires_ns = ?4, volume = ?5 WHERE id = ?1",
			      SQL_ARGS(SQL_INT(snap->id), SQL_TEXT(snap->name),
				       SQL_TEXT(snap->description), SQL_INT(snap->expires_wall_ns),
				       SQL_TEXT(snap->volume)),
			      err);

	if (r < 0 && sql_violates(db, "volume_snapshots.name"))
		return err_kind(err, ERR_CONFLICT, "snapshot \"%s\" exists already", snap->name);
	return r;
}

int db_volume_snap_delete(struct db *db, int64_t id, struct err *err)
{
	return sql_run_alone(db, "DELETE FROM volume_snapshots WHERE id = ?1",
			     SQL_ARGS(SQL_INT(id)), err);
}

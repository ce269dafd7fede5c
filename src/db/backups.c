/* db/backups.c - see backups.h */
#include "db/backups.h"

#include "base/mem.h"
#include "db/rows.h"
#include "db/sql.h"

static void free_record(void *object)
{
	backup_record_free(object);
}

static void *from_row(sqlite3_stmt *stmt)
{
	struct backup_record *record = backup_record_new(sql_text_ref(stmt, 3));

	record->id = sqlite3_column_int64(stmt, 0);
	record->instance_id = sqlite3_column_int64(stmt, 1);
	record->volume_id = sqlite3_column_int64(stmt, 2);
	record->compression = sql_text(stmt, 4);
	record->alone = sqlite3_column_int64(stmt, 5);
	record->created_wall_ns = sqlite3_column_int64(stmt, 6);
	record->expires_wall_ns = sqlite3_column_int64(stmt, 7);
	return record;
}

int db_backups_load(struct db *db, void (*take)(void *data, struct backup_record *record),
		    void *data, struct err *err)
{
	struct rows_owners owners = { .free_object = free_record };
	int r = rows_load_owners(db,
				 "SELECT id, instance_id, volume_id, name, compression, alone,"
				 " created_ns, expires_ns FROM backups ORDER BY created_ns, id",
				 from_row, &owners, err);

	for (size_t i = 0; i < owners.list.len && r == 0; i++)
		take(data, TAKE_PTR(owners.list.items[i].object));
	rows_owners_done(&owners);
	return r;
}

static int explain(struct db *db, int r, const char *name, struct err *err)
{
	if (r < 0 && sql_violates(db, "backups.name"))
		return err_kind(err, ERR_CONFLICT, "backup \"%s\" exists already", name);
	return r;
}

int db_backup_insert(struct db *db, struct backup_record *record, struct err *err)
{
	int r = sql_run_alone(
		db,
		"INSERT INTO backups (instance_id, volume_id, name, compression, alone, created_ns,"
		" expires_ns) VALUES (nullif(?1, 0), nullif(?2, 0), ?3, ?4, ?5, ?6, ?7)",
		SQL_ARGS(SQL_INT(record->instance_id), SQL_INT(record->volume_id),
			 SQL_TEXT(record->name), SQL_TEXT(record->compression),
			 SQL_INT(record->alone), SQL_INT(record->created_wall_ns),
			 SQL_INT(record->expires_wall_ns)),
		err);

	if (r == 0)
		record->id = sqlite3_last_insert_rowid(db->handle);
	return explain(db, r, record->name, err);
}

int db_backup_rename(struct db *db, int64_t id, const char *name, struct err *err)
{
	int r = sql_run_alone(db, "UPDATE backups SET name = ?2 WHERE id = ?1",
			      SQL_ARGS(SQL_INT(id), SQL_TEXT(name)), err);

	return explain(db, r, name, err);
}

int db_backup_delete(struct db *db, int64_t id, struct err *err)
{
	return sql_run_alone(db, "DELETE FROM backups WHERE id = ?1", SQL_ARGS(SQL_INT(id)), err);
}

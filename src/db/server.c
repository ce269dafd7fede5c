/* db/server.c - see server.h */
#include "db/server.h"

#include "base/mem.h"
#include "db/rows.h"
#include "db/sql.h"

int db_config_load(struct db *db, struct strmap *ret_config, struct err *err)
{
	struct strmap config = { 0 };
	sqlite3_stmt *stmt;
	int r = sql_query(db, "SELECT key, value FROM config", SQL_NO_ARGS, &stmt, err);

	if (r < 0)
		return r;
	while ((r = sql_step(db, stmt, err)) > 0)
		strmap_set(&config, sql_text_ref(stmt, 0), sql_text_ref(stmt, 1));
	if (r < 0)
		strmap_done(&config);
	else
		*ret_config = config;
	return r;
}

int db_config_set(struct db *db, const char *key, const char *value, struct err *err)
{
	if (!value)
		return sql_run_alone(db, "DELETE FROM config WHERE key = ?1",
				     SQL_ARGS(SQL_TEXT(key)), err);
	return sql_run_alone(db,
			     "INSERT INTO config (key, value) VALUES (?1, ?2)"
			     " ON CONFLICT (key) DO UPDATE SET value = ?2",
			     SQL_ARGS(SQL_TEXT(key), SQL_TEXT(value)), err);
}

static void *warning_from_row(sqlite3_stmt *stmt)
{
	struct warning_record *record = xcalloc(1, sizeof(*record));

	record->uuid = sql_text(stmt, 0);
	record->type = sql_text(stmt, 1);
	record->entity = sql_text(stmt, 2);
	record->status = (enum warning_status)sqlite3_column_int(stmt, 3);
	record->severity = (enum warning_severity)sqlite3_column_int(stmt, 4);
	record->count = (uint64_t)sqlite3_column_int64(stmt, 5);
	record->last_message = sql_text(stmt, 6);
	record->first_seen_wall_ns = sqlite3_column_int64(stmt, 7);
	record->last_seen_wall_ns = sqlite3_column_int64(stmt, 8);
	return record;
}

static void free_warning(void *object)
{
	warning_record_free(object);
}

int db_warnings_load(struct db *db, void (*take)(void *data, struct warning_record *record),
		     void *data, struct err *err)
{
	struct rows_owners owners = { .free_object = free_warning };
	int r = rows_load_owners(
		db,
		"SELECT uuid, type, entity, status, severity, count, last_message,"
		" first_seen_ns, last_seen_ns FROM warnings ORDER BY first_seen_ns, uuid",
		warning_from_row, &owners, err);

	for (size_t i = 0; i < owners.list.len && r == 0; i++)
		take(data, TAKE_PTR(owners.list.items[i].object));
	rows_owners_done(&owners);
	return r;
}

int db_warning_set(struct db *db, const struct warning_record *record, struct err *err)
{
	return sql_run_alone(
		db,
		"INSERT INTO warnings (uuid, type, entity, status, severity, count, last_message,"
		" first_seen_ns, last_seen_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
		" ON CONFLICT (uuid) DO UPDATE SET type = ?2, entity = ?3, status = ?4,"
		" severity = ?5, count = ?6, last_message = ?7, first_seen_ns = ?8,"
		" last_seen_ns = ?9",
		SQL_ARGS(SQL_TEXT(record->uuid), SQL_TEXT(record->type), SQL_TEXT(record->entity),
			 SQL_INT(record->status), SQL_INT(record->severity), SQL_INT(record->count),
			 SQL_TEXT(record->last_message), SQL_INT(record->first_seen_wall_ns),
			 SQL_INT(record->last_seen_wall_ns)),
		err);
}

int db_warning_delete(struct db *db, const char *uuid, struct err *err)
{
	return sql_run_alone(db, "DELETE FROM warnings WHERE uuid = ?1", SQL_ARGS(SQL_TEXT(uuid)),
			     err);
}

/* db/pools.c - see pools.h */
#include "db/pools.h"

#include "db/rows.h"
#include "db/sql.h"

static const struct rows_child config_rows = {
	"DELETE FROM pool_config WHERE pool_id = ?1",
	"INSERT INTO pool_config (pool_id, key, value) VALUES (?1, ?2, ?3)",
};

static const char select_all[] =
	"SELECT id, name, driver, description, status FROM pools ORDER BY id";

static void free_record(void *object)
{
	pool_record_free(object);
}

static void *from_row(sqlite3_stmt *stmt)
{
	struct pool_record *record = pool_record_new(sql_text_ref(stmt, 1));

	record->id = sqlite3_column_int64(stmt, 0);
	record->driver = sql_text(stmt, 2);
	record->description = sql_text(stmt, 3);
	record->status = sql_text(stmt, 4);
	return record;
}

static void add_config(void *object, sqlite3_stmt *stmt)
{
	rows_add_to_map(&((struct pool_record *)object)->config, stmt);
}

int db_pools_load(struct db *db, void (*take)(void *data, struct pool_record *record), void *data,
		  struct err *err)
{
	struct rows_owners owners = { .free_object = free_record };
	int r = rows_load_owners(db, select_all, from_row, &owners, err);

	if (r == 0)
		r = rows_load_children(
			db, "SELECT pool_id, key, value FROM pool_config ORDER BY pool_id, key",
			&owners, add_config, err);
	for (size_t i = 0; i < owners.list.len && r == 0; i++)
		take(data, TAKE_PTR(owners.list.items[i].object));
	rows_owners_done(&owners);
	return r;
}

static int write_row(struct db *db, const char *text, const void *object, struct err *err)
{
	const struct pool_record *record = object;
	int r = sql_run(db, text,
			SQL_ARGS(SQL_INT(record->id), SQL_TEXT(record->name),
				 SQL_TEXT(record->driver), SQL_TEXT(record->description),
				 SQL_TEXT(record->status)),
			err);

	if (r < 0 && sql_violates(db, "pools.name"))
		return err_kind(err, ERR_CONFLICT, "storage pool \"%s\" exists already",
				record->name);
	return r;
}

static int write_rest(struct db *db, int64_t id, const void *object, struct err *err)
{
	const struct pool_record *record = object;

	return rows_write_map(db, &config_rows, id, &record->config, err);
}

static const struct rows_parent parent = {
	.what = "storage pool",
	.insert = "INSERT INTO pools (id, name, driver, description, status)"
		  " VALUES (nullif(?1, 0), ?2, ?3, ?4, ?5)",
	.update = "UPDATE pools SET name = ?2, driver = ?3, description = ?4, status = ?5"
		  " WHERE id = ?1",
	.write_row = write_row,
	.write_rest = write_rest,
};

int db_pool_insert(struct db *db, struct pool_record *record, struct err *err)
{
	return rows_insert(db, &parent, record, &record->id, err);
}

int db_pool_update(struct db *db, const struct pool_record *record, struct err *err)
{
	return rows_update(db, &parent, record, record->id, record->name, err);
}

int db_pool_forget_images(struct db *db, int64_t id, struct err *err)
{
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	r = sql_run(db, "DELETE FROM image_volumes WHERE pool_id = ?1", SQL_ARGS(SQL_INT(id)), err);
	return db_end(db, r, err);
}

int db_pool_delete(struct db *db, int64_t id, struct err *err)
{
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	r = sql_run(db, "DELETE FROM pools WHERE id = ?1", SQL_ARGS(SQL_INT(id)), err);
	if (r < 0 && sql_violates_reference(db))
		r = err_kind(err, ERR_CONFLICT,
			     "storage pool still holds instances, volumes or images");
	return db_end(db, r, err);
}

/* db/journal.c - see journal.h */
#include "db/journal.h"

#include <stdlib.h>

#include "base/strmap.h"
#include "base/vec.h"
#include "db/sql.h"

struct records {
	VEC(struct journal_record *) list; /* in order of age */
	struct strmap by_id;		   /* values are borrowed from the list */
};

static void keep(void *value)
{
	(void)value;
}

static int load_parents(struct db *db, struct records *records, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sql_query(db,
			  "SELECT id, kind, object, step, created_ns FROM journal"
			  " ORDER BY created_ns, rowid",
			  SQL_NO_ARGS, &stmt, err);

	if (r < 0)
		return r;
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct journal_record *record = journal_record_new(sql_text_ref(stmt, 0));

		record->kind = sql_text(stmt, 1);
		record->object = sql_text(stmt, 2);
		record->step = sql_text(stmt, 3);
		record->created_wall_ns = sqlite3_column_int64(stmt, 4);
		*vec_push(&records->list) = record;
		strmap_set_take(&records->by_id, record->id, record);
	}
	return r;
}

static int load_data(struct db *db, const struct records *records, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sql_query(db, "SELECT journal_id, key, value FROM journal_data", SQL_NO_ARGS, &stmt,
			  err);

	if (r < 0)
		return r;
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct journal_record *record = strmap_get(&records->by_id, sql_text_ref(stmt, 0));

		if (record)
			strmap_set(&record->data, sql_text_ref(stmt, 1), sql_text_ref(stmt, 2));
	}
	return r;
}

int db_journal_load(struct db *db, void (*take)(void *data, struct journal_record *record),
		    void *data, struct err *err)
{
	struct records records = { .by_id.free_value = keep };
	int r = load_parents(db, &records, err);

	if (r == 0)
		r = load_data(db, &records, err);
	vec_for_each(record, &records.list) {
		if (r == 0)
			take(data, *record);
		else
			journal_record_free(*record);
	}
	free(records.list.items);
	strmap_done(&records.by_id);
	return r;
}

static int set(struct db *db, const struct journal_record *record, struct err *err)
{
	int r = sql_run(db,
			"INSERT INTO journal (id, kind, object, step, created_ns)"
			" VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE"
			" SET kind = ?2, object = ?3, step = ?4, created_ns = ?5",
			SQL_ARGS(SQL_TEXT(record->id), SQL_TEXT(record->kind),
				 SQL_TEXT(record->object), SQL_TEXT(record->step),
				 SQL_INT(record->created_wall_ns)),
			err);

	if (r == 0)
		r = sql_run(db, "DELETE FROM journal_data WHERE journal_id = ?1",
			    SQL_ARGS(SQL_TEXT(record->id)), err);
	for (size_t i = 0; i < record->data.len && r == 0; i++)
		r = sql_run(db,
			    "INSERT INTO journal_data (journal_id, key, value) VALUES (?1, ?2, ?3)",
			    SQL_ARGS(SQL_TEXT(record->id), SQL_TEXT(record->data.items[i].key),
				     SQL_TEXT(record->data.items[i].value)),
			    err);
	return r;
}

int db_journal_set(struct db *db, const struct journal_record *record, struct err *err)
{
	int r = db_begin(db, err);

	return r < 0 ? r : db_end(db, set(db, record, err), err);
}

int db_journal_delete(struct db *db, const char *id, struct err *err)
{
	return sql_run_alone(db, "DELETE FROM journal WHERE id = ?1", SQL_ARGS(SQL_TEXT(id)), err);
}

/* db/networks.c - see networks.h */
#include "db/networks.h"

#include <stdlib.h>

#include "base/mem.h"
#include "db/rows.h"
#include "db/sql.h"

static const struct rows_child config_rows = {
	"DELETE FROM network_config WHERE network_id = ?1",
	"INSERT INTO network_config (network_id, key, value) VALUES (?1, ?2, ?3)",
};

static const char select_all[] =
	"SELECT id, name, type, description, managed FROM networks ORDER BY id";

static void free_record(void *object)
{
	network_record_free(object);
}

static void *from_row(sqlite3_stmt *stmt)
{
	struct network_record *record = network_record_new(sql_text_ref(stmt, 1));

	record->id = sqlite3_column_int64(stmt, 0);
	replace_str(&record->type, sql_text_ref(stmt, 2));
	record->description = sql_text(stmt, 3);
	record->managed = sqlite3_column_int64(stmt, 4);
	return record;
}

static void add_config(void *object, sqlite3_stmt *stmt)
{
	rows_add_to_map(&((struct network_record *)object)->config, stmt);
}

int db_networks_load(struct db *db, void (*take)(void *data, struct network_record *record),
		     void *data, struct err *err)
{
	struct rows_owners owners = { .free_object = free_record };
	int r = rows_load_owners(db, select_all, from_row, &owners, err);

	if (r == 0)
		r = rows_load_children(db,
				       "SELECT network_id, key, value FROM network_config"
				       " ORDER BY network_id, key",
				       &owners, add_config, err);
	for (size_t i = 0; i < owners.list.len && r == 0; i++)
		take(data, TAKE_PTR(owners.list.items[i].object));
	rows_owners_done(&owners);
	return r;
}

static int write_row(struct db *db, const char *text, const void *object, struct err *err)
{
	const struct network_record *record = object;
	int r = sql_run(db, text,
			SQL_ARGS(SQL_INT(record->id), SQL_TEXT(record->name),
				 SQL_TEXT(record->type), SQL_TEXT(record->description),
				 SQL_INT(record->managed)),
			err);

	if (r < 0 && sql_violates(db, "networks.name"))
		return err_kind(err, ERR_CONFLICT, "network \"%s\" exists already", record->name);
	return r;
}

static int write_rest(struct db *db, int64_t id, const void *object, struct err *err)
{
	const struct network_record *record = object;

	return rows_write_map(db, &config_rows, id, &record->config, err);
}

static const struct rows_parent parent = {
	.what = "network",
	.insert = "INSERT INTO networks (id, name, type, description, managed)"
		  " VALUES (nullif(?1, 0), ?2, ?3, ?4, ?5)",
	.update = "UPDATE networks SET name = ?2, type = ?3, description = ?4, managed = ?5"
		  " WHERE id = ?1",
	.write_row = write_row,
	.write_rest = write_rest,
};

int db_network_insert(struct db *db, struct network_record *record, struct err *err)
{
	return rows_insert(db, &parent, record, &record->id, err);
}

int db_network_update(struct db *db, const struct network_record *record, struct err *err)
{
	return rows_update(db, &parent, record, record->id, record->name, err);
}

int db_network_delete(struct db *db, int64_t id, struct err *err)
{
	return sql_run_alone(db, "DELETE FROM networks WHERE id = ?1", SQL_ARGS(SQL_INT(id)), err);
}

static void *lease_from_row(sqlite3_stmt *stmt)
{
	struct lease_record *record = xcalloc(1, sizeof(*record));

	record->id = sqlite3_column_int64(stmt, 0);
	record->network_id = sqlite3_column_int64(stmt, 1);
	record->instance_id = sqlite3_column_int64(stmt, 2);
	record->device = sql_text(stmt, 3);
	record->hwaddr = sql_text(stmt, 4);
	record->ipv4 = sql_text(stmt, 5);
	record->ipv6 = sql_text(stmt, 6);
	return record;
}

static void free_lease(void *object)
{
	lease_record_free(object);
}

int db_leases_load(struct db *db, void (*take)(void *data, struct lease_record *record), void *data,
		   struct err *err)
{
	struct rows_owners owners = { .free_object = free_lease };
	int r = rows_load_owners(db,
				 "SELECT id, network_id, instance_id, device, hwaddr, ipv4, ipv6"
				 " FROM leases ORDER BY id",
				 lease_from_row, &owners, err);

	for (size_t i = 0; i < owners.list.len && r == 0; i++)
		take(data, TAKE_PTR(owners.list.items[i].object));
	rows_owners_done(&owners);
	return r;
}

/* Say which of the values is taken. */
static int lease_conflict(struct db *db, const struct lease_record *record, int r, struct err *err)
{
	if (sql_violates(db, "leases.hwaddr"))
		return err_kind(err, ERR_CONFLICT,
				"device \"%s\": MAC address %s is taken on this network",
				record->device, record->hwaddr);
	if (sql_violates(db, "leases.ipv4"))
		return err_kind(err, ERR_CONFLICT,
				"device \"%s\": address %s is taken on this network",
				record->device, record->ipv4);
	if (sql_violates(db, "leases.ipv6"))
		return err_kind(err, ERR_CONFLICT,
				"device \"%s\": address %s is taken on this network",
				record->device, record->ipv6);
	if (sql_violates_reference(db))
		return err_kind(err, ERR_NOT_FOUND,
				"device \"%s\": its network or instance is gone", record->device);
	return r;
}

static int set_lease(struct db *db, const struct lease_record *record, int64_t *ret_id,
		     struct err *err)
{
	int r = sql_run(db,
			"INSERT INTO leases (network_id, instance_id, device, hwaddr, ipv4, ipv6)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
			" ON CONFLICT (instance_id, device) DO UPDATE"
			" SET network_id = ?1, hwaddr = ?4, ipv4 = ?5, ipv6 = ?6",
			SQL_ARGS(SQL_INT(record->network_id), SQL_INT(record->instance_id),
				 SQL_TEXT(record->device), SQL_TEXT(record->hwaddr),
				 SQL_TEXT(record->ipv4), SQL_TEXT(record->ipv6)),
			err);

	if (r < 0)
		return lease_conflict(db, record, r, err);
	r = sql_number(db, "SELECT id FROM leases WHERE instance_id = ?1 AND device = ?2",
		       SQL_ARGS(SQL_INT(record->instance_id), SQL_TEXT(record->device)), ret_id,
		       err);
	return r < 0 ? r : 0;
}

int db_lease_set(struct db *db, struct lease_record *record, struct err *err)
{
	int64_t id = 0;
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	r = db_end(db, set_lease(db, record, &id, err), err);
	if (r == 0)
		record->id = id;
	return r;
}

int db_lease_delete(struct db *db, int64_t id, struct err *err)
{
	return sql_run_alone(db, "DELETE FROM leases WHERE id = ?1", SQL_ARGS(SQL_INT(id)), err);
}

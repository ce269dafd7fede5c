/* db/images.c - see images.h */
#include "db/images.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "db/rows.h"
#include "db/sql.h"

static const struct rows_child property_rows = {
	"DELETE FROM image_properties WHERE image_id = ?1",
	"INSERT INTO image_properties (image_id, key, value) VALUES (?1, ?2, ?3)",
};

static const struct rows_child profile_rows = {
	"DELETE FROM image_profiles WHERE image_id = ?1",
	"INSERT INTO image_profiles (image_id, position, profile_id) VALUES (?1, ?2, ?3)",
};

static const char select_all[] =
	"SELECT id, fingerprint, size, format, architecture, filename, public,"
	" cached, auto_update, created_ns, expires_ns, uploaded_ns, last_used_ns,"
	" source_protocol, source_server, source_alias FROM images ORDER BY id";

static void free_record(void *object)
{
	image_record_free(object);
}

static void *from_row(sqlite3_stmt *stmt)
{
	struct image_record *record = image_record_new(sql_text_ref(stmt, 1));

	record->id = sqlite3_column_int64(stmt, 0);
	record->size_bytes = (uint64_t)sqlite3_column_int64(stmt, 2);
	/* an unknown word can only be a newer version's, which db_open() has refused */
	(void)image_format_parse(sql_text_ref(stmt, 3), &record->format);
	record->architecture = sql_text(stmt, 4);
	record->filename = sql_text(stmt, 5);
	record->public = sqlite3_column_int64(stmt, 6);
	record->cached = sqlite3_column_int64(stmt, 7);
	record->auto_update = sqlite3_column_int64(stmt, 8);
	record->created_wall_ns = sqlite3_column_int64(stmt, 9);
	record->expires_wall_ns = sqlite3_column_int64(stmt, 10);
	record->uploaded_wall_ns = sqlite3_column_int64(stmt, 11);
	record->last_used_wall_ns = sqlite3_column_int64(stmt, 12);
	record->source_protocol = sql_text(stmt, 13);
	record->source_server = sql_text(stmt, 14);
	record->source_alias = sql_text(stmt, 15);
	return record;
}

static void add_property(void *object, sqlite3_stmt *stmt)
{
	rows_add_to_map(&((struct image_record *)object)->properties, stmt);
}

static void add_alias(void *object, sqlite3_stmt *stmt)
{
	image_record_add_alias(object, sql_text_ref(stmt, 1), sql_text_ref(stmt, 2));
}

static void add_profile(void *object, sqlite3_stmt *stmt)
{
	strv_push(&((struct image_record *)object)->profiles, sql_text_ref(stmt, 1));
}

static int load_all(struct db *db, struct rows_owners *owners, struct err *err)
{
	int r = rows_load_owners(db, select_all, from_row, owners, err);

	if (r == 0)
		r = rows_load_children(db,
				       "SELECT image_id, key, value FROM image_properties"
				       " ORDER BY image_id, key",
				       owners, add_property, err);
	if (r == 0)
		r = rows_load_children(db,
				       "SELECT image_id, name, description FROM image_aliases"
				       " ORDER BY image_id, name",
				       owners, add_alias, err);
	if (r == 0)
		r = rows_load_children(db,
				       "SELECT ip.image_id, p.name FROM image_profiles ip"
				       " JOIN profiles p ON p.id = ip.profile_id"
				       " ORDER BY ip.image_id, ip.position",
				       owners, add_profile, err);
	return r;
}

int db_images_load(struct db *db, void (*take)(void *data, struct image_record *record), void *data,
		   struct err *err)
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
	const struct image_record *record = object;
	int r = sql_run(db, text,
			SQL_ARGS(SQL_INT(record->id), SQL_TEXT(record->fingerprint),
				 SQL_INT(record->size_bytes),
				 SQL_TEXT(image_format_name(record->format)),
				 SQL_TEXT(record->architecture), SQL_TEXT(record->filename),
				 SQL_INT(record->public), SQL_INT(record->cached),
				 SQL_INT(record->auto_update), SQL_INT(record->created_wall_ns),
				 SQL_INT(record->expires_wall_ns),
				 SQL_INT(record->uploaded_wall_ns),
				 SQL_INT(record->last_used_wall_ns),
				 SQL_TEXT(record->source_protocol), SQL_TEXT(record->source_server),
				 SQL_TEXT(record->source_alias)),
			err);

	if (r < 0 && sql_violates(db, "images.fingerprint"))
		return err_kind(err, ERR_CONFLICT, "image %.12s exists already",
				record->fingerprint);
	return r;
}

static int write_aliases(struct db *db, int64_t id, const struct image_record *record,
			 struct err *err)
{
	int r = sql_run(db, "DELETE FROM image_aliases WHERE image_id = ?1", SQL_ARGS(SQL_INT(id)),
			err);

	for (size_t i = 0; i < record->aliases.len && r == 0; i++) {
		const struct image_alias *alias = &record->aliases.items[i];

		r = sql_run(db,
			    "INSERT INTO image_aliases (image_id, name, description)"
			    " VALUES (?1, ?2, ?3)",
			    SQL_ARGS(SQL_INT(id), SQL_TEXT(alias->name),
				     SQL_TEXT(alias->description)),
			    err);
		if (r < 0 && sql_violates(db, "image_aliases.name"))
			return err_kind(err, ERR_CONFLICT, "image alias \"%s\" exists already",
					alias->name);
	}
	return r;
}

static int write_rest(struct db *db, int64_t id, const void *object, struct err *err)
{
	const struct image_record *record = object;
	int r = rows_write_map(db, &property_rows, id, &record->properties, err);

	if (r == 0)
		r = rows_write_profiles(db, &profile_rows, id, record->profiles, err);
	return r < 0 ? r : write_aliases(db, id, record, err);
}

static const struct rows_parent parent = {
	.what = "image",
	.insert = "INSERT INTO images (id, fingerprint, size, format, architecture, filename,"
		  " public, cached, auto_update, created_ns, expires_ns, uploaded_ns,"
		  " last_used_ns, source_protocol, source_server, source_alias)"
		  " VALUES (nullif(?1, 0), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
		  " ?14, ?15, ?16)",
	.update = "UPDATE images SET fingerprint = ?2, size = ?3, format = ?4,"
		  " architecture = ?5, filename = ?6, public = ?7, cached = ?8,"
		  " auto_update = ?9, created_ns = ?10, expires_ns = ?11, uploaded_ns = ?12,"
		  " last_used_ns = ?13, source_protocol = ?14, source_server = ?15,"
		  " source_alias = ?16 WHERE id = ?1",
	.write_row = write_row,
	.write_rest = write_rest,
};

int db_image_insert(struct db *db, struct image_record *record, struct err *err)
{
	return rows_insert(db, &parent, record, &record->id, err);
}

int db_image_update(struct db *db, const struct image_record *record, struct err *err)
{
	return rows_update(db, &parent, record, record->id, record->fingerprint, err);
}

int db_image_set_last_used(struct db *db, int64_t id, int64_t wall_ns, struct err *err)
{
	return sql_run_alone(db, "UPDATE images SET last_used_ns = ?2 WHERE id = ?1",
			     SQL_ARGS(SQL_INT(id), SQL_INT(wall_ns)), err);
}

int db_image_delete(struct db *db, int64_t id, struct err *err)
{
	return sql_run_alone(db, "DELETE FROM images WHERE id = ?1", SQL_ARGS(SQL_INT(id)), err);
}

int db_image_alias_set(struct db *db, int64_t image_id, const char *name, const char *description,
		       struct err *err)
{
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	r = sql_run(db,
		    "INSERT INTO image_aliases (image_id, name, description) VALUES (?1, ?2, ?3)"
		    " ON CONFLICT (name) DO UPDATE SET image_id = ?1, description = ?3",
		    SQL_ARGS(SQL_INT(image_id), SQL_TEXT(name), SQL_TEXT(description)), err);
	if (r < 0 && sql_violates_reference(db))
		r = err_kind(err, ERR_NOT_FOUND, "image of alias \"%s\" not found", name);
	return db_end(db, r, err);
}

int db_image_alias_rename(struct db *db, const char *name, const char *new_name, struct err *err)
{
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	r = sql_run(db, "UPDATE image_aliases SET name = ?2 WHERE name = ?1",
		    SQL_ARGS(SQL_TEXT(name), SQL_TEXT(new_name)), err);
	if (r < 0 && sql_violates(db, "image_aliases.name"))
		r = err_kind(err, ERR_CONFLICT, "image alias \"%s\" exists already", new_name);
	if (r == 0)
		r = rows_check_changed(db, "image alias", name, err);
	return db_end(db, r, err);
}

int db_image_alias_delete(struct db *db, const char *name, struct err *err)
{
	return sql_run_alone(db, "DELETE FROM image_aliases WHERE name = ?1",
			     SQL_ARGS(SQL_TEXT(name)), err);
}

int db_image_volumes_load(struct db *db,
			  void (*take)(void *data, const char *pool, const char *fingerprint,
				       uint64_t users),
			  void *data, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sql_query(db,
			  "SELECT p.name, v.fingerprint, (SELECT count(*) FROM instances i"
			  " WHERE i.pool_id = v.pool_id AND i.image_fingerprint = v.fingerprint)"
			  " FROM image_volumes v JOIN pools p ON p.id = v.pool_id"
			  " ORDER BY p.name, v.fingerprint",
			  SQL_NO_ARGS, &stmt, err);

	if (r < 0)
		return r;
	while ((r = sql_step(db, stmt, err)) > 0)
		take(data, sql_text_ref(stmt, 0), sql_text_ref(stmt, 1),
		     (uint64_t)sqlite3_column_int64(stmt, 2));
	return r;
}

static int insert_volume(struct db *db, const char *pool, const char *fingerprint, struct err *err)
{
	int64_t pool_id = 0;
	int r = sql_number(db, "SELECT id FROM pools WHERE name = ?1", SQL_ARGS(SQL_TEXT(pool)),
			   &pool_id, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_kind(err, ERR_NOT_FOUND, "storage pool \"%s\" not found", pool);
	return sql_run(db,
		       "INSERT INTO image_volumes (pool_id, fingerprint) VALUES (?1, ?2)"
		       " ON CONFLICT DO NOTHING",
		       SQL_ARGS(SQL_INT(pool_id), SQL_TEXT(fingerprint)), err);
}

int db_image_volume_insert(struct db *db, const char *pool, const char *fingerprint,
			   struct err *err)
{
	int r = db_begin(db, err);

	return r < 0 ? r : db_end(db, insert_volume(db, pool, fingerprint, err), err);
}

int db_image_volume_delete(struct db *db, const char *pool, const char *fingerprint,
			   struct err *err)
{
	return sql_run_alone(db,
			     "DELETE FROM image_volumes WHERE fingerprint = ?2"
			     " AND pool_id = (SELECT id FROM pools WHERE name = ?1)",
			     SQL_ARGS(SQL_TEXT(pool), SQL_TEXT(fingerprint)), err);
}

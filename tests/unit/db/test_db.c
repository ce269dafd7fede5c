/* tests of db: opening, migrating, transactions, every table */
#include "db/db.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "base/vec.h"
#include "db/backups.h"
#include "db/images.h"
#include "db/instances.h"
#include "db/journal.h"
#include "db/migrate.h"
#include "db/networks.h"
#include "db/pools.h"
#include "db/profiles.h"
#include "db/server.h"
#include "db/sql.h"
#include "spec/device.h"

#define FINGERPRINT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A directory for one test, its database file, and an open database in memory. */
struct fixture {
	char dir[32];
	char *path;
	struct db *db;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct pool_record *pool = pool_record_new("default");
	struct profile_record *profile = profile_record_new("default");

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/sysctr-db-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->path = xasprintf("%s/sysctr.db", f->dir);
	assert_int_equal(db_open(":memory:", &f->db, NULL), 0);
	assert_int_equal(db_pool_insert(f->db, pool, NULL), 0);
	assert_int_equal(db_profile_insert(f->db, profile, NULL), 0);
	pool_record_free(pool);
	profile_record_free(profile);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	struct fixture *f = *state;

	db_close(f->db);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		_cleanup_(freep) char *path = xasprintf("%s%s", f->path, suffixes[i]);

		(void)unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f->path);
	free(f);
	return 0;
}

static struct inst_record *make_instance(const char *name, uint32_t id_base)
{
	struct inst_record *record = inst_record_new(name);

	record->description = xstrdup("a \"quoted\" 'one'; DROP TABLE instances; --");
	record->architecture = xstrdup("x86_64");
	record->pool = xstrdup("default");
	record->image_fingerprint = xstrdup(FINGERPRINT);
	record->ephemeral = true;
	record->created_wall_ns = 1700000000000000001;
	strv_push(&record->profiles, "default");
	strmap_set(&record->config, "limits.cpu", "2");
	strmap_set(&record->config, "user.text", "two\nlines, \xc3\xa4");
	strmap_set(&record->config, "volatile.eth0.hwaddr", "00:16:3e:00:00:01");
	strmap_set(devices_add(&record->devices, "eth0"), "type", "nic");
	strmap_set(devices_add(&record->devices, "eth0"), "network", "sysctrbr0");
	(void)devices_add(&record->devices, "empty");
	record->id_base = id_base;
	record->id_count = id_base ? 65536 : 0;
	record->power = xstrdup("running");
	return record;
}

static void assert_same_instance(const struct inst_record *a, const struct inst_record *b)
{
	assert_int_equal(a->id, b->id);
	assert_true(streq(a->name, b->name));
	assert_true(streq(a->description, b->description));
	assert_true(streq(a->architecture, b->architecture));
	assert_true(streq(a->pool, b->pool));
	assert_true(streq(a->image_fingerprint, b->image_fingerprint));
	assert_int_equal(a->ephemeral, b->ephemeral);
	assert_int_equal(a->created_wall_ns, b->created_wall_ns);
	assert_int_equal(a->last_used_wall_ns, b->last_used_wall_ns);
	assert_true(strv_equal((const char *const *)a->profiles, (const char *const *)b->profiles));
	assert_true(strmap_equal(&a->config, &b->config));
	assert_true(devices_equal(&a->devices, &b->devices));
	assert_int_equal(a->id_base, b->id_base);
	assert_int_equal(a->id_count, b->id_count);
	assert_true(streq(a->power, b->power));
}

struct instances {
	VEC(struct inst_record *) list;
};

static void take_instance(void *data, struct inst_record *record)
{
	*vec_push(&((struct instances *)data)->list) = record;
}

static void load_instances(struct db *db, struct instances *out)
{
	*out = (struct instances){ 0 };
	assert_int_equal(db_instances_load(db, take_instance, out, NULL), 0);
}

static void free_instances(struct instances *instances)
{
	vec_for_each(record, &instances->list)
		inst_record_free(*record);
	free(instances->list.items);
}

static size_t count_instances(struct db *db)
{
	struct instances all;
	size_t n;

	load_instances(db, &all);
	n = all.list.len;
	free_instances(&all);
	return n;
}

static void test_file_is_private_and_durable(void **state)
{
	struct fixture *f = *state;
	struct db *db;
	struct stat st;
	struct strmap config = { 0 };

	assert_int_equal(db_open(f->path, &db, NULL), 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(db_schema_version(db), db_n_migrations);
	assert_int_equal(db_config_set(db, "core.x", "1", NULL), 0);
	db = db_close(db);
	assert_null(db);
	assert_int_equal(db_open(f->path, &db, NULL), 0);
	assert_int_equal(db_config_load(db, &config, NULL), 0);
	assert_string_equal(strmap_get(&config, "core.x"), "1");
	strmap_done(&config);
	db_close(db);
}

static void script(const char *path, const char *text)
{
	sqlite3 *handle;

	assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static void test_newer_schema_is_refused(void **state)
{
	struct fixture *f = *state;
	struct db *db = NULL;
	struct err err = { 0 };

	assert_int_equal(db_open(f->path, &db, NULL), 0);
	db = db_close(db);
	script(f->path, "PRAGMA user_version = 9999");
	assert_int_equal(db_open(f->path, &db, &err), -EOPNOTSUPP);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	assert_non_null(strstr(err.msg, "newer version"));
	assert_non_null(strstr(err.msg, f->path));
	assert_null(db);
}

static void test_foreign_and_broken_files_are_refused(void **state)
{
	struct fixture *f = *state;
	struct db *db = NULL;
	struct err err = { 0 };
	FILE *file;

	script(f->path, "CREATE TABLE theirs (x)");
	assert_true(db_open(f->path, &db, &err) < 0);
	assert_non_null(strstr(err.msg, "another program"));
	file = fopen(f->path, "we");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		assert_true(fputs("this is no database at all\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(db_open(f->path, &db, &err), -EUCLEAN);
	assert_true(db_open("/nowhere/at/all.db", &db, &err) < 0);
	assert_non_null(strstr(err.msg, "/nowhere/at/all.db"));
}

/* A file as the first @n migrations leave it, with the rows of @text. */
static void make_old(const char *path, size_t n, const char *text)
{
	_cleanup_(freep) char *pragmas =
		xasprintf("PRAGMA application_id = %d; PRAGMA user_version = %zu;",
			  DB_APPLICATION_ID, n);
	sqlite3 *handle;

	assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(sqlite3_exec(handle, db_migrations[i].text, NULL, NULL, NULL),
				 SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, pragmas, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static void take_backup(void *data, struct backup_record *record)
{
	struct backup_record **place = data;

	assert_null(*place);
	*place = record;
}

/* 6: volumes have backups too. */
static void test_backups_of_version_5(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *copy = xasprintf("%s.v5", f->path);
	_cleanup_(backup_record_freep) struct backup_record *backup = NULL;
	struct db *db;

	make_old(f->path, 5,
		 "INSERT INTO pools (id, name) VALUES (3, 'default');"
		 "INSERT INTO instances (id, name, pool_id, ephemeral, created_ns, last_used_ns)"
		 " VALUES (7, 'c1', 3, 0, 1, 1);"
		 "INSERT INTO backups VALUES (7, 'mine', 'xz', 1, 8, 9);");
	assert_int_equal(db_open(f->path, &db, NULL), 0);
	assert_int_equal(db_backups_load(db, take_backup, &backup, NULL), 0);
	assert_non_null(backup);
	assert_int_equal(backup->instance_id, 7);
	assert_int_equal(backup->volume_id, 0);
	assert_string_equal(backup->name, "mine");
	assert_string_equal(backup->compression, "xz");
	assert_true(backup->alone);
	assert_int_equal(backup->created_wall_ns, 8);
	assert_int_equal(backup->expires_wall_ns, 9);
	db_close(db);
	assert_int_equal(unlink(copy), 0);
}

/* As a later version, with one migration more, would open a file of this one. */
static int open_with_more(const char *path, const char *text, struct err *err)
{
	_cleanup_(freep) struct db_migration *all =
		xcalloc(db_n_migrations + 1, sizeof(struct db_migration));
	struct db *db = NULL;
	int r = db_open(path, &db, err);

	if (r < 0)
		return r;
	memcpy(all, db_migrations, db_n_migrations * sizeof(*all));
	all[db_n_migrations] = (struct db_migration){ "9999-more", text };
	(void)sqlite3_set_authorizer(db->handle, NULL, NULL);
	r = db_migrate(db, path, all, db_n_migrations + 1, err);
	db_close(db);
	return r;
}

static int64_t read_number(const char *path, const char *text)
{
	sqlite3 *handle;
	sqlite3_stmt *stmt;
	int64_t number = -1;

	assert_int_equal(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(handle, text, -1, &stmt, NULL), SQLITE_OK);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		number = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	(void)sqlite3_close(handle);
	return number;
}

static void test_migration_keeps_a_copy(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *copy = xasprintf("%s.v%zu", f->path, db_n_migrations);
	struct err err = { 0 };
	struct stat st;
	struct db *db;

	assert_int_equal(db_open(f->path, &db, NULL), 0);
	assert_int_equal(db_config_set(db, "core.x", "7", NULL), 0);
	db_close(db);
	assert_int_equal(stat(copy, &st), -1);

	/* one that fails in the middle leaves the file as it was */
	assert_true(open_with_more(f->path, "CREATE TABLE t (x); DROP TABLE missing;", &err) < 0);
	assert_non_null(strstr(err.msg, "9999-more"));
	assert_int_equal(read_number(f->path, "PRAGMA user_version"), db_n_migrations);
	assert_int_equal(read_number(f->path, "SELECT count(*) FROM sqlite_schema"
					      " WHERE name = 't'"),
			 0);

	assert_int_equal(open_with_more(f->path, "CREATE TABLE t (x);", NULL), 0);
	assert_int_equal(read_number(f->path, "PRAGMA user_version"), db_n_migrations + 1);
	assert_int_equal(read_number(f->path, "SELECT value FROM config"), 7);
	assert_int_equal(stat(copy, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(read_number(copy, "PRAGMA user_version"), db_n_migrations);
	assert_int_equal(read_number(copy, "SELECT value FROM config"), 7);
	assert_int_equal(db_open(f->path, &db, &err), -EOPNOTSUPP);
	assert_int_equal(unlink(copy), 0);
}

static void test_only_rows_can_be_touched(void **state)
{
	struct fixture *f = *state;

	assert_true(sql_script(f->db, "DROP TABLE instances", "test", NULL) < 0);
	assert_true(sql_script(f->db, "ATTACH '/tmp/x.db' AS x", "test", NULL) < 0);
	assert_true(sql_script(f->db, "PRAGMA foreign_keys = OFF", "test", NULL) < 0);
	assert_int_equal(count_instances(f->db), 0);
}

static void test_instance_round_trip(void **state)
{
	struct fixture *f = *state;
	struct inst_record *web = make_instance("web1", 1048576);
	struct inst_record *bare = inst_record_new("bare");
	struct instances all;

	assert_int_equal(db_instance_insert(f->db, web, NULL), 0);
	assert_int_equal(db_instance_insert(f->db, bare, NULL), 0);
	assert_true(web->id > 0 && bare->id > web->id);
	load_instances(f->db, &all);
	assert_int_equal(all.list.len, 2);
	assert_same_instance(all.list.items[0], web);
	assert_same_instance(all.list.items[1], bare);
	free_instances(&all);
	inst_record_free(web);
	inst_record_free(bare);
}

static void test_instance_update_and_delete(void **state)
{
	struct fixture *f = *state;
	struct inst_record *web = make_instance("web1", 1048576);
	struct instances all;

	assert_int_equal(db_instance_insert(f->db, web, NULL), 0);
	replace_str(&web->name, "web2");
	(void)strmap_unset(&web->config, "limits.cpu");
	strmap_set(&web->config, "limits.memory", "1GiB");
	(void)strmap_unset(&web->devices, "empty");
	web->profiles = strv_free(web->profiles);
	web->id_base = 2097152;
	assert_int_equal(db_instance_update(f->db, web, NULL), 0);
	assert_int_equal(db_instance_set_config(f->db, web->id, "user.a", "1", NULL), 0);
	assert_int_equal(db_instance_set_config(f->db, web->id, "user.a", "2", NULL), 0);
	assert_int_equal(db_instance_set_config(f->db, web->id, "user.text", NULL, NULL), 0);
	assert_int_equal(db_instance_set_power(f->db, web->id, "stopped", NULL), 0);
	assert_int_equal(db_instance_set_last_used(f->db, web->id, 42, NULL), 0);
	strmap_set(&web->config, "user.a", "2");
	(void)strmap_unset(&web->config, "user.text");
	replace_str(&web->power, "stopped");
	web->last_used_wall_ns = 42;
	load_instances(f->db, &all);
	assert_int_equal(all.list.len, 1);
	assert_same_instance(all.list.items[0], web);
	free_instances(&all);
	assert_int_equal(db_instance_delete(f->db, web->id, NULL), 0);
	assert_int_equal(count_instances(f->db), 0);
	assert_int_equal(db_instance_update(f->db, web, NULL), -ENOENT);
	inst_record_free(web);
}

static void test_instance_conflicts_have_words(void **state)
{
	struct fixture *f = *state;
	struct inst_record *a = make_instance("a", 1048576), *b = make_instance("a", 0);
	struct err err = { 0 };

	assert_int_equal(db_instance_insert(f->db, a, NULL), 0);
	assert_int_equal(db_instance_insert(f->db, b, &err), -EEXIST);
	assert_int_equal(err.kind, ERR_CONFLICT);
	assert_string_equal(err.msg, "instance \"a\" exists already");
	assert_int_equal(b->id, 0);

	replace_str(&b->name, "b");
	b->id_base = 1048576 + 65535;
	b->id_count = 65536;
	assert_int_equal(db_instance_insert(f->db, b, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "belong to another instance"));

	b->id_base = 1048576 + 65536;
	replace_str(&b->pool, "fast");
	assert_int_equal(db_instance_insert(f->db, b, &err), -ENOENT);
	assert_string_equal(err.msg, "storage pool \"fast\" not found");

	replace_str(&b->pool, "default");
	strv_push(&b->profiles, "web");
	assert_int_equal(db_instance_insert(f->db, b, &err), -ENOENT);
	assert_string_equal(err.msg, "profile \"web\" not found");
	assert_int_equal(count_instances(f->db), 1);

	replace_str(&b->profiles[1], "default");
	assert_int_equal(db_instance_insert(f->db, b, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "listed twice"));
	inst_record_free(a);
	inst_record_free(b);
}

static void test_transactions_nest(void **state)
{
	struct fixture *f = *state;
	struct inst_record *a = make_instance("a", 0), *b = make_instance("b", 0);

	assert_int_equal(db_begin(f->db, NULL), 0);
	assert_int_equal(db_instance_insert(f->db, a, NULL), 0);
	assert_int_equal(db_begin(f->db, NULL), 0);
	assert_int_equal(db_instance_insert(f->db, b, NULL), 0);
	db_rollback(f->db);
	assert_true(db_instance_insert(f->db, a, NULL) < 0); /* the failed one leaves the rest */
	assert_int_equal(db_commit(f->db, NULL), 0);
	assert_int_equal(count_instances(f->db), 1);
	assert_int_equal(db_begin(f->db, NULL), 0);
	assert_int_equal(db_instance_insert(f->db, b, NULL), 0);
	db_rollback(f->db);
	assert_int_equal(count_instances(f->db), 1);
	inst_record_free(a);
	inst_record_free(b);
}

/* A full disk gives up the whole transaction: nothing after it may become a change of its own. */
static void test_full_disk(void **state)
{
	struct fixture *f = *state;
	struct inst_record *a = make_instance("a", 0), *b = make_instance("b", 0);
	_cleanup_(freep) char *big = xcalloc(1, 1 << 20);
	struct err err = { 0 };
	struct db *db;

	memset(big, 'x', (1 << 20) - 1);
	strmap_set(&a->config, "user.big", big);
	replace_str(&a->pool, NULL);
	replace_str(&b->pool, NULL);
	a->profiles = strv_free(a->profiles);
	b->profiles = strv_free(b->profiles);
	assert_int_equal(db_open(f->path, &db, NULL), 0);
	(void)sqlite3_set_authorizer(db->handle, NULL, NULL);
	assert_int_equal(sql_script(db, "PRAGMA max_page_count = 100", "test", NULL), 0);
	assert_int_equal(db_begin(db, NULL), 0);
	assert_int_equal(db_instance_insert(db, a, &err), -ENOSPC);
	assert_non_null(strstr(err.msg, "no space left"));
	assert_int_equal(a->id, 0);
	if (sqlite3_get_autocommit(db->handle)) {
		assert_true(db_instance_insert(db, b, &err) < 0);
		assert_true(db_commit(db, &err) < 0);
	} else {
		db_rollback(db);
	}
	assert_int_equal(count_instances(db), 0);
	assert_int_equal(db_instance_insert(db, b, NULL), 0);
	assert_int_equal(count_instances(db), 1);
	db_close(db);
	inst_record_free(a);
	inst_record_free(b);
}

static void take_profile(void *data, struct profile_record *record)
{
	if (streq(record->name, "web"))
		*(struct profile_record **)data = record;
	else
		profile_record_free(record);
}

static void test_profiles(void **state)
{
	struct fixture *f = *state;
	struct profile_record *web = profile_record_new("web"), *back = NULL;
	struct inst_record *user = make_instance("a", 0);
	struct err err = { 0 };
	struct instances all;

	web->description = xstrdup("d");
	strmap_set(&web->config, "limits.cpu", "2");
	strmap_set(devices_add(&web->devices, "root"), "path", "/");
	assert_int_equal(db_profile_insert(f->db, web, NULL), 0);
	assert_int_equal(db_profiles_load(f->db, take_profile, &back, NULL), 0);
	assert_int_equal(back->id, web->id);
	assert_string_equal(back->description, "d");
	assert_true(strmap_equal(&back->config, &web->config));
	assert_true(devices_equal(&back->devices, &web->devices));
	profile_record_free(back);

	strv_push(&user->profiles, "web");
	assert_int_equal(db_instance_insert(f->db, user, NULL), 0);
	assert_int_equal(db_profile_delete(f->db, web->id, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "in use"));
	replace_str(&web->name, "www");
	assert_int_equal(db_profile_update(f->db, web, NULL), 0);
	load_instances(f->db, &all);
	assert_string_equal(all.list.items[0]->profiles[1], "www");
	free_instances(&all);
	replace_str(&web->name, "default");
	assert_int_equal(db_profile_update(f->db, web, &err), -EEXIST);
	assert_string_equal(err.msg, "profile \"default\" exists already");
	assert_int_equal(db_instance_delete(f->db, user->id, NULL), 0);
	assert_int_equal(db_profile_delete(f->db, web->id, NULL), 0);
	profile_record_free(web);
	inst_record_free(user);
}

static void take_image(void *data, struct image_record *record)
{
	*(struct image_record **)data = record;
}

static struct image_record *make_image(void)
{
	struct image_record *image = image_record_new(FINGERPRINT);

	image->size_bytes = 1ULL << 40;
	image->format = IMAGE_SPLIT;
	image->architecture = xstrdup("x86_64");
	image->auto_update = true;
	image->created_wall_ns = 5;
	image->uploaded_wall_ns = 6;
	strmap_set(&image->properties, "os", "Debian");
	strv_push(&image->profiles, "default");
	image_record_add_alias(image, "debian", "the stable one");
	image_record_add_alias(image, "debian/bookworm", NULL);
	image->source_protocol = xstrdup("template");
	image->source_alias = xstrdup("debian");
	return image;
}

static void test_images(void **state)
{
	struct fixture *f = *state;
	struct image_record *image = make_image(), *other = image_record_copy(image), *back = NULL;
	struct err err = { 0 };

	assert_int_equal(db_image_insert(f->db, image, NULL), 0);
	assert_int_equal(db_images_load(f->db, take_image, &back, NULL), 0);
	assert_int_equal(back->size_bytes, image->size_bytes);
	assert_int_equal(back->format, IMAGE_SPLIT);
	assert_true(back->auto_update && !back->public && !back->cached);
	assert_true(strmap_equal(&back->properties, &image->properties));
	assert_string_equal(back->profiles[0], "default");
	assert_int_equal(back->aliases.len, 2);
	assert_string_equal(back->aliases.items[0].description, "the stable one");
	assert_null(back->aliases.items[1].description);
	assert_string_equal(back->source_alias, "debian");
	assert_int_equal(back->uploaded_wall_ns, 6);
	image_record_free(back);

	assert_int_equal(db_image_insert(f->db, other, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "image 0123456789ab exists already"));
	other->fingerprint[0] = 'f';
	assert_int_equal(db_image_insert(f->db, other, &err), -EEXIST);
	assert_string_equal(err.msg, "image alias \"debian\" exists already");
	assert_int_equal(db_image_alias_rename(f->db, "debian", "debian/bookworm", &err), -EEXIST);
	assert_int_equal(db_image_alias_rename(f->db, "none", "x", &err), -ENOENT);
	assert_int_equal(db_image_alias_rename(f->db, "debian", "d", NULL), 0);
	assert_int_equal(db_image_alias_set(f->db, 999, "d", NULL, &err), -ENOENT);
	assert_int_equal(db_image_alias_delete(f->db, "d", NULL), 0);
	assert_int_equal(db_image_alias_delete(f->db, "debian/bookworm", NULL), 0);
	assert_int_equal(db_image_insert(f->db, other, NULL), 0);
	assert_int_equal(db_image_alias_set(f->db, image->id, "debian", "moved", NULL), 0);
	assert_int_equal(db_image_set_last_used(f->db, image->id, 7, NULL), 0);
	assert_int_equal(db_image_delete(f->db, other->id, NULL), 0);
	assert_int_equal(db_images_load(f->db, take_image, &back, NULL), 0);
	assert_int_equal(back->aliases.len, 1);
	assert_string_equal(back->aliases.items[0].description, "moved");
	assert_int_equal(back->last_used_wall_ns, 7);
	image_record_free(back);
	image_record_free(image);
	image_record_free(other);
}

static void take_volume(void *data, const char *pool, const char *fingerprint, uint64_t users)
{
	assert_string_equal(pool, "default");
	assert_string_equal(fingerprint, FINGERPRINT);
	*(uint64_t *)data += 100 + users;
}

static void test_image_volumes_count_their_users(void **state)
{
	struct fixture *f = *state;
	struct inst_record *a = make_instance("a", 0), *b = make_instance("b", 0);
	uint64_t sum = 0;

	assert_int_equal(db_image_volume_insert(f->db, "default", FINGERPRINT, NULL), 0);
	assert_int_equal(db_image_volume_insert(f->db, "default", FINGERPRINT, NULL), 0);
	assert_int_equal(db_image_volume_insert(f->db, "none", FINGERPRINT, NULL), -ENOENT);
	assert_int_equal(db_instance_insert(f->db, a, NULL), 0);
	assert_int_equal(db_instance_insert(f->db, b, NULL), 0);
	assert_int_equal(db_image_volumes_load(f->db, take_volume, &sum, NULL), 0);
	assert_int_equal(sum, 102);
	assert_int_equal(db_image_volume_delete(f->db, "default", FINGERPRINT, NULL), 0);
	sum = 0;
	assert_int_equal(db_image_volumes_load(f->db, take_volume, &sum, NULL), 0);
	assert_int_equal(sum, 0);
	inst_record_free(a);
	inst_record_free(b);
}

static void take_network(void *data, struct network_record *record)
{
	*(struct network_record **)data = record;
}

static void take_lease(void *data, struct lease_record *record)
{
	lease_record_free(*(struct lease_record **)data);
	*(struct lease_record **)data = record;
}

static void test_leases(struct db *db, const struct network_record *network)
{
	struct inst_record *a = make_instance("a", 0), *b = make_instance("b", 0);
	struct lease_record lease = { .network_id = network->id, .device = xstrdup("eth0") };
	struct lease_record *back = NULL;
	struct err err = { 0 };

	assert_int_equal(db_instance_insert(db, a, NULL), 0);
	assert_int_equal(db_instance_insert(db, b, NULL), 0);
	lease.hwaddr = xstrdup("00:16:3e:00:00:01");
	lease.ipv4 = xstrdup("10.0.0.2");
	lease.instance_id = a->id;
	assert_int_equal(db_lease_set(db, &lease, NULL), 0);
	assert_int_equal(db_lease_set(db, &lease, NULL), 0);
	lease.instance_id = b->id;
	replace_str(&lease.ipv4, NULL);
	assert_int_equal(db_lease_set(db, &lease, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "MAC address 00:16:3e:00:00:01 is taken"));
	replace_str(&lease.hwaddr, "00:16:3e:00:00:02");
	replace_str(&lease.ipv4, "10.0.0.2");
	assert_int_equal(db_lease_set(db, &lease, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "address 10.0.0.2 is taken"));
	replace_str(&lease.ipv4, NULL);
	assert_int_equal(db_lease_set(db, &lease, NULL), 0);
	assert_int_equal(db_instance_delete(db, a->id, NULL), 0);
	assert_int_equal(db_leases_load(db, take_lease, &back, NULL), 0);
	assert_int_equal(back->id, lease.id);
	assert_string_equal(back->hwaddr, "00:16:3e:00:00:02");
	assert_null(back->ipv4);
	lease.instance_id = 999;
	replace_str(&lease.hwaddr, "00:16:3e:00:00:03");
	assert_int_equal(db_lease_set(db, &lease, &err), -ENOENT);
	assert_int_equal(db_lease_delete(db, back->id, NULL), 0);
	lease_record_free(back);
	free(lease.device);
	free(lease.hwaddr);
	inst_record_free(a);
	inst_record_free(b);
}

static void test_networks(void **state)
{
	struct fixture *f = *state;
	struct network_record *network = network_record_new("sysctrbr0"), *back = NULL;
	struct err err = { 0 };

	strmap_set(&network->config, "ipv4.address", "10.0.0.1/24");
	assert_int_equal(db_network_insert(f->db, network, NULL), 0);
	assert_int_equal(db_network_insert(f->db, network, &err), -EEXIST);
	assert_string_equal(err.msg, "network \"sysctrbr0\" exists already");
	assert_int_equal(db_networks_load(f->db, take_network, &back, NULL), 0);
	assert_true(back->managed);
	assert_string_equal(back->type, "bridge");
	assert_true(strmap_equal(&back->config, &network->config));
	network->id = back->id;
	network_record_free(back);
	strmap_set(&network->config, "ipv4.nat", "false");
	assert_int_equal(db_network_update(f->db, network, NULL), 0);
	test_leases(f->db, network);
	assert_int_equal(db_network_delete(f->db, network->id, NULL), 0);
	back = NULL;
	assert_int_equal(db_networks_load(f->db, take_network, &back, NULL), 0);
	assert_null(back);
	network_record_free(network);
}

static void take_pool(void *data, struct pool_record *record)
{
	if (streq(record->name, "fast"))
		*(struct pool_record **)data = record;
	else
		pool_record_free(record);
}

static void test_pools(void **state)
{
	struct fixture *f = *state;
	struct pool_record *pool = pool_record_new("fast"), *back = NULL;
	struct inst_record *user = make_instance("a", 0);
	struct err err = { 0 };

	pool->driver = xstrdup("overlay");
	pool->status = xstrdup("Created");
	strmap_set(&pool->config, "source", "/srv/fast");
	assert_int_equal(db_pool_insert(f->db, pool, NULL), 0);
	assert_int_equal(db_pools_load(f->db, take_pool, &back, NULL), 0);
	assert_string_equal(back->driver, "overlay");
	assert_true(strmap_equal(&back->config, &pool->config));
	pool_record_free(back);
	replace_str(&user->pool, "fast");
	assert_int_equal(db_instance_insert(f->db, user, NULL), 0);
	assert_int_equal(db_pool_delete(f->db, pool->id, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "still holds"));
	replace_str(&pool->name, "default");
	assert_int_equal(db_pool_update(f->db, pool, &err), -EEXIST);
	assert_int_equal(db_instance_delete(f->db, user->id, NULL), 0);
	assert_int_equal(db_pool_delete(f->db, pool->id, NULL), 0);
	pool_record_free(pool);
	inst_record_free(user);
}

static void take_journal(void *data, struct journal_record *record)
{
	_cleanup_(freep) char *rest = xstrdup(strmap_get(&record->data, "volume"));

	buf_printf(data, "%s %s %s %s %s;", record->id, record->kind, record->object, record->step,
		   rest ? rest : "-");
	journal_record_free(record);
}

static void test_journal(void **state)
{
	struct fixture *f = *state;
	struct journal_record *one = journal_record_new("op-1"), *two = journal_record_new("op-0");
	struct buf seen = { 0 };

	one->kind = xstrdup("instance-delete");
	one->object = xstrdup("web1");
	one->step = xstrdup("hide-volume");
	strmap_set(&one->data, "volume", "v");
	strmap_set(&one->data, "old", "x");
	two->kind = xstrdup("instance-create");
	two->object = xstrdup("web2");
	two->step = xstrdup("begin");
	two->created_wall_ns = 1;
	assert_int_equal(db_journal_set(f->db, two, NULL), 0);
	assert_int_equal(db_journal_set(f->db, one, NULL), 0);
	replace_str(&one->step, "free-space");
	(void)strmap_unset(&one->data, "old");
	assert_int_equal(db_journal_set(f->db, one, NULL), 0);
	assert_int_equal(db_journal_load(f->db, take_journal, &seen, NULL), 0);
	assert_string_equal(seen.data, "op-1 instance-delete web1 free-space v;"
				       "op-0 instance-create web2 begin -;");
	assert_int_equal(db_journal_delete(f->db, "op-1", NULL), 0);
	assert_int_equal(db_journal_delete(f->db, "op-1", NULL), 0);
	buf_done(&seen);
	assert_int_equal(db_journal_load(f->db, take_journal, &seen, NULL), 0);
	assert_string_equal(seen.data, "op-0 instance-create web2 begin -;");
	buf_done(&seen);
	journal_record_free(one);
	journal_record_free(two);
}

static void take_warning(void *data, struct warning_record *record)
{
	buf_printf(data, "%s %s %s %u;", record->uuid, warning_status_name(record->status),
		   record->last_message, (unsigned int)record->count);
	warning_record_free(record);
}

static void test_warnings(void **state)
{
	struct fixture *f = *state;
	struct warning_record warning = {
		.uuid = xstrdup("u1"),
		.type = xstrdup("t"),
		.entity = xstrdup("/1.0/networks/x"),
		.last_message = xstrdup("m"),
		.count = 1,
		.severity = WARNING_HIGH,
	};
	struct buf seen = { 0 };

	assert_int_equal(db_warning_set(f->db, &warning, NULL), 0);
	warning.count = 2;
	warning.status = WARNING_ACKNOWLEDGED;
	assert_int_equal(db_warning_set(f->db, &warning, NULL), 0);
	assert_int_equal(db_warnings_load(f->db, take_warning, &seen, NULL), 0);
	assert_string_equal(seen.data, "u1 acknowledged m 2;");
	replace_str(&warning.uuid, "u2");
	assert_int_equal(db_warning_set(f->db, &warning, NULL), -EEXIST);
	assert_int_equal(db_warning_delete(f->db, "u1", NULL), 0);
	assert_int_equal(db_warning_set(f->db, &warning, NULL), 0);
	buf_done(&seen);
	free(warning.uuid);
	free(warning.type);
	free(warning.entity);
	free(warning.last_message);
}

static void test_thousand_instances(void **state)
{
	struct fixture *f = *state;
	struct instances made = { 0 }, all;
	uint64_t start;

	assert_int_equal(db_begin(f->db, NULL), 0);
	for (uint32_t i = 0; i < 1000; i++) {
		_cleanup_(freep) char *name = xasprintf("c%u", (i * 7919) % 1000);
		struct inst_record *record = make_instance(name, (i + 16) * 65536);

		for (int k = 0; k < 20; k++) {
			_cleanup_(freep) char *key = xasprintf("volatile.key%d", k);

			strmap_set(&record->config, key, "some value of a usual length");
		}
		assert_int_equal(db_instance_insert(f->db, record, NULL), 0);
		take_instance(&made, record);
	}
	assert_int_equal(db_commit(f->db, NULL), 0);
	start = time_mono_ns();
	load_instances(f->db, &all);
	print_message("# loaded 1000 instances in %.1f ms\n",
		      (double)(time_mono_ns() - start) / NS_PER_MS);
	assert_int_equal(all.list.len, 1000);
	for (size_t i = 0; i < 1000; i++)
		assert_same_instance(all.list.items[i], made.list.items[i]);
	free_instances(&all);
	free_instances(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file_is_private_and_durable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newer_schema_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_and_broken_files_are_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_migration_keeps_a_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_backups_of_version_5, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_rows_can_be_touched, setup, teardown),
		cmocka_unit_test_setup_teardown(test_instance_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_instance_update_and_delete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_instance_conflicts_have_words, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_transactions_nest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_profiles, setup, teardown),
		cmocka_unit_test_setup_teardown(test_images, setup, teardown),
		cmocka_unit_test_setup_teardown(test_image_volumes_count_their_users, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_networks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pools, setup, teardown),
		cmocka_unit_test_setup_teardown(test_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_warnings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_thousand_instances, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

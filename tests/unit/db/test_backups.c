/* tests of db/backups.h: what comes back, names, and what goes with its owner */
#include "db/backups.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "db/instances.h"
#include "db/pools.h"
#include "db/volumes.h"

struct fixture {
	struct db *db;
	struct inst_record *inst;
	struct volume_record *volume;
	struct backup_record *found[4];
	size_t n;
};

static int setup(void **state)
{
	struct fixture *f = *state = xcalloc(1, sizeof(*f));
	struct pool_record *pool = pool_record_new("default");

	assert_int_equal(db_open(":memory:", &f->db, NULL), 0);
	assert_int_equal(db_pool_insert(f->db, pool, NULL), 0);
	pool_record_free(pool);
	f->inst = inst_record_new("c1");
	f->inst->pool = xstrdup("default");
	assert_int_equal(db_instance_insert(f->db, f->inst, NULL), 0);
	f->volume = volume_record_new("default", "data");
	f->volume->volume = xstrdup("a-uuid");
	assert_int_equal(db_volume_insert(f->db, f->volume, NULL), 0);
	return 0;
}

static void forget(struct fixture *f)
{
	for (size_t i = 0; i < f->n; i++)
		backup_record_free(f->found[i]);
	f->n = 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	forget(f);
	inst_record_free(f->inst);
	volume_record_free(f->volume);
	db_close(f->db);
	free(f);
	return 0;
}

static void take(void *data, struct backup_record *record)
{
	struct fixture *f = data;

	assert_true(f->n < ARRAY_LEN(f->found));
	f->found[f->n++] = record;
}

static void load(struct fixture *f)
{
	forget(f);
	assert_int_equal(db_backups_load(f->db, take, f, NULL), 0);
}

static int add(struct fixture *f, struct backup_record *record, int64_t created_wall_ns,
	       struct err *err)
{
	int r;

	record->compression = xstrdup("xz");
	record->alone = true;
	record->created_wall_ns = created_wall_ns;
	record->expires_wall_ns = 9;
	r = db_backup_insert(f->db, record, err);
	backup_record_free(record);
	return r;
}

static struct backup_record *of_inst(struct fixture *f, const char *name)
{
	struct backup_record *record = backup_record_new(name);

	record->instance_id = f->inst->id;
	return record;
}

static struct backup_record *of_volume(struct fixture *f, const char *name)
{
	struct backup_record *record = backup_record_new(name);

	record->volume_id = f->volume->id;
	return record;
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	const struct backup_record *record;
	struct err err = { 0 };

	assert_int_equal(add(f, of_inst(f, "b"), 8, NULL), 0);
	assert_int_equal(add(f, of_inst(f, "a"), 7, NULL), 0);
	assert_int_equal(add(f, of_volume(f, "a"), 9, NULL), 0); /* the same name, another's */
	assert_true(add(f, of_inst(f, "a"), 7, &err) < 0);
	assert_int_equal(err.kind, ERR_CONFLICT);
	assert_true(add(f, of_volume(f, "a"), 7, NULL) < 0);
	load(f);
	assert_int_equal(f->n, 3);
	record = f->found[0];
	assert_string_equal(record->name, "a");
	assert_string_equal(record->compression, "xz");
	assert_int_equal(record->instance_id, f->inst->id);
	assert_int_equal(record->volume_id, 0);
	assert_true(record->alone);
	assert_int_equal(record->created_wall_ns, 7);
	assert_int_equal(record->expires_wall_ns, 9);
	assert_int_equal(f->found[2]->instance_id, 0);
	assert_int_equal(f->found[2]->volume_id, f->volume->id);
}

static void test_belongs_to_one(void **state)
{
	struct fixture *f = *state;
	struct backup_record *both = of_inst(f, "a"), *stranger = of_inst(f, "a");

	both->volume_id = f->volume->id;
	stranger->instance_id = 99;
	assert_true(add(f, both, 1, NULL) < 0);
	assert_true(add(f, stranger, 1, NULL) < 0);
	assert_true(add(f, backup_record_new("a"), 1, NULL) < 0);
	load(f);
	assert_int_equal(f->n, 0);
}

static void test_changes(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	assert_int_equal(add(f, of_inst(f, "a"), 1, NULL), 0);
	assert_int_equal(add(f, of_inst(f, "b"), 2, NULL), 0);
	assert_int_equal(add(f, of_volume(f, "b"), 3, NULL), 0);
	load(f);
	assert_true(db_backup_rename(f->db, f->found[0]->id, "b", &err) < 0);
	assert_int_equal(err.kind, ERR_CONFLICT);
	assert_int_equal(db_backup_rename(f->db, f->found[0]->id, "c", NULL), 0);
	assert_int_equal(db_backup_delete(f->db, f->found[1]->id, NULL), 0);
	load(f);
	assert_int_equal(f->n, 2);
	assert_string_equal(f->found[0]->name, "c");
	assert_string_equal(f->found[1]->name, "b");
	assert_int_equal(db_instance_delete(f->db, f->inst->id, NULL), 0);
	load(f);
	assert_int_equal(f->n, 1);
	assert_int_equal(db_volume_delete(f->db, f->volume->id, NULL), 0);
	load(f);
	assert_int_equal(f->n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_belongs_to_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

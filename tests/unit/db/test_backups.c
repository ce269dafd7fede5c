/* tests of db/backups.h: what comes back, names, and what goes with an instance */
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

struct fixture {
	struct db *db;
	struct inst_record *inst;
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

static int add(struct fixture *f, const char *name, int64_t created_wall_ns, struct err *err)
{
	_cleanup_(backup_record_freep) struct backup_record *record = backup_record_new(name);

	record->instance_id = f->inst->id;
	record->compression = xstrdup("xz");
	record->instance_only = true;
	record->created_wall_ns = created_wall_ns;
	record->expires_wall_ns = 9;
	return db_backup_insert(f->db, record, err);
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	const struct backup_record *record;
	struct err err = { 0 };

	assert_int_equal(add(f, "b", 8, NULL), 0);
	assert_int_equal(add(f, "a", 7, NULL), 0);
	assert_true(add(f, "a", 7, &err) < 0);
	assert_int_equal(err.kind, ERR_CONFLICT);
	load(f);
	assert_int_equal(f->n, 2);
	record = f->found[0];
	assert_string_equal(record->name, "a");
	assert_string_equal(record->compression, "xz");
	assert_int_equal(record->instance_id, f->inst->id);
	assert_true(record->instance_only);
	assert_int_equal(record->created_wall_ns, 7);
	assert_int_equal(record->expires_wall_ns, 9);
}

static void test_changes(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	assert_int_equal(add(f, "a", 1, NULL), 0);
	assert_int_equal(add(f, "b", 2, NULL), 0);
	load(f);
	assert_true(db_backup_rename(f->db, f->found[0], "b", &err) < 0);
	assert_int_equal(err.kind, ERR_CONFLICT);
	assert_int_equal(db_backup_rename(f->db, f->found[0], "c", NULL), 0);
	assert_int_equal(db_backup_delete(f->db, f->found[1], NULL), 0);
	load(f);
	assert_int_equal(f->n, 1);
	assert_string_equal(f->found[0]->name, "c");
	assert_int_equal(db_instance_delete(f->db, f->inst->id, NULL), 0);
	load(f);
	assert_int_equal(f->n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

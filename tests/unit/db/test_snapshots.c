/* tests of db/snapshots.h: what comes back, names, and what goes with an instance or a profile */
#include "db/snapshots.h"

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
#include "db/profiles.h"
#include "db/volumes.h"
#include "spec/device.h"

struct fixture {
	struct db *db;
	struct inst_record *inst;
	struct snap_record *found[4];
	size_t n;
	int64_t next_ns;
	struct volume_record *volume;
	struct volume_snap *snap;
};

static int setup(void **state)
{
	struct fixture *f = *state = xcalloc(1, sizeof(*f));
	struct pool_record *pool = pool_record_new("default");
	struct profile_record *profile = profile_record_new("web");

	assert_int_equal(db_open(":memory:", &f->db, NULL), 0);
	assert_int_equal(db_pool_insert(f->db, pool, NULL), 0);
	assert_int_equal(db_profile_insert(f->db, profile, NULL), 0);
	pool_record_free(pool);
	profile_record_free(profile);
	f->inst = inst_record_new("c1");
	f->inst->pool = xstrdup("default");
	strv_push(&f->inst->profiles, "web");
	strmap_set(&f->inst->config, "user.x", "1");
	strmap_set(devices_add(&f->inst->devices, "eth0"), "type", "nic");
	assert_int_equal(db_instance_insert(f->db, f->inst, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < f->n; i++)
		snap_record_free(f->found[i]);
	inst_record_free(f->inst);
	db_close(f->db);
	free(f);
	return 0;
}

static void take(void *data, struct snap_record *record)
{
	struct fixture *f = data;

	assert_true(f->n < ARRAY_LEN(f->found));
	f->found[f->n++] = record;
}

static void load(struct fixture *f)
{
	for (size_t i = 0; i < f->n; i++)
		snap_record_free(f->found[i]);
	f->n = 0;
	assert_int_equal(db_snapshots_load(f->db, take, f, NULL), 0);
}

static int add(struct fixture *f, const char *name, const char *volume, struct err *err)
{
	_cleanup_(snap_record_freep) struct snap_record *record = snap_record_new(name);

	inst_record_free(record->inst);
	record->inst = inst_record_copy(f->inst);
	record->instance_id = f->inst->id;
	record->volume = xstrdup(volume);
	record->created_wall_ns = 7;
	record->expires_wall_ns = 9;
	record->scheduled = true;
	record->size_bytes = 4096;
	return db_snapshot_insert(f->db, record, err);
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	const struct snap_record *record;
	struct err err = { 0 };

	assert_int_equal(add(f, "snap0", "u0", &err), 0);
	assert_true(add(f, "snap0", "u1", &err) < 0);
	assert_int_equal(err.kind, ERR_CONFLICT);
	assert_int_equal(add(f, "snap1", "u1", &err), 0);
	load(f);
	assert_int_equal(f->n, 2);
	record = f->found[0];
	assert_string_equal(record->name, "snap0");
	assert_string_equal(record->volume, "u0");
	assert_int_equal(record->instance_id, f->inst->id);
	assert_int_equal(record->created_wall_ns, 7);
	assert_int_equal(record->expires_wall_ns, 9);
	assert_true(record->scheduled);
	assert_int_equal(record->size_bytes, 4096);
	assert_string_equal(strmap_get(&record->inst->config, "user.x"), "1");
	assert_string_equal(record->inst->profiles[0], "web");
	assert_non_null(devices_get(&record->inst->devices, "eth0"));
}

static void test_changes(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	assert_int_equal(add(f, "a", "u0", NULL), 0);
	assert_int_equal(add(f, "b", "u1", NULL), 0);
	load(f);
	assert_int_equal(db_snapshot_rename(f->db, f->found[0]->id, "c", NULL), 0);
	assert_true(db_snapshot_rename(f->db, f->found[0]->id, "b", &err) < 0);
	assert_int_equal(err.kind, ERR_CONFLICT);
	assert_int_equal(db_snapshot_set_expiry(f->db, f->found[0]->id, 0, NULL), 0);
	assert_int_equal(db_snapshot_delete(f->db, f->found[1]->id, NULL), 0);
	load(f);
	assert_int_equal(f->n, 1);
	assert_string_equal(f->found[0]->name, "c");
	assert_int_equal(f->found[0]->expires_wall_ns, 0);
}

/* A snapshot names its profiles when they are gone; it goes with its instance. */
static void test_references(void **state)
{
	struct fixture *f = *state;
	struct inst_record *bare = inst_record_copy(f->inst);

	assert_int_equal(add(f, "a", "u0", NULL), 0);
	bare->profiles = strv_free(bare->profiles);
	assert_int_equal(db_instance_update(f->db, bare, NULL), 0);
	inst_record_free(bare);
	assert_int_equal(db_profile_delete(f->db, 1, NULL), 0);
	load(f);
	assert_string_equal(f->found[0]->inst->profiles[0], "web");
	assert_int_equal(db_instance_delete(f->db, f->inst->id, NULL), 0);
	load(f);
	assert_int_equal(f->n, 0);
}

static void take_run(void *data, int64_t instance_id, const char *schedule, int64_t next_wall_ns)
{
	struct fixture *f = data;

	assert_int_equal(instance_id, f->inst->id);
	assert_string_equal(schedule, "@daily");
	f->next_ns = next_wall_ns;
}

static void test_runs(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(db_run_set(f->db, &db_instance_runs, f->inst->id, "@hourly", 1, NULL), 0);
	assert_int_equal(db_run_set(f->db, &db_instance_runs, f->inst->id, "@daily", 2, NULL), 0);
	assert_int_equal(db_runs_load(f->db, &db_instance_runs, take_run, f, NULL), 0);
	assert_int_equal(f->next_ns, 2);
	f->next_ns = 0;
	assert_int_equal(db_run_set(f->db, &db_instance_runs, f->inst->id, NULL, 0, NULL), 0);
	assert_int_equal(db_runs_load(f->db, &db_instance_runs, take_run, f, NULL), 0);
	assert_int_equal(f->next_ns, 0);
}

static void take_volume_run(void *data, int64_t id, const char *schedule, int64_t next_wall_ns)
{
	struct fixture *f = data;

	assert_int_equal(id, f->volume->id);
	assert_string_equal(schedule, "@weekly");
	f->next_ns = next_wall_ns;
}

static void take_volume_snap(void *data, struct volume_snap *snap)
{
	struct fixture *f = data;

	volume_snap_free(f->snap);
	f->snap = snap;
}

/* It has another pool, name and directory; what hangs on its row stays as it is. */
static void move_volume(struct fixture *f, struct volume_snap *snap)
{
	struct pool_record *pool = pool_record_new("other");

	assert_int_equal(db_pool_insert(f->db, pool, NULL), 0);
	pool_record_free(pool);
	replace_str(&f->volume->pool, "other");
	replace_str(&f->volume->name, "moved");
	replace_str(&f->volume->volume, "v2");
	replace_str(&snap->volume, "v3");
	assert_int_equal(db_volume_update(f->db, f->volume, NULL), 0);
	assert_int_equal(db_volume_snap_update(f->db, snap, NULL), 0);
	assert_int_equal(db_volume_snaps_load(f->db, take_volume_snap, f, NULL), 0);
	assert_int_equal(f->snap->id, snap->id);
	assert_string_equal(f->snap->volume, "v3");
	assert_int_equal(f->snap->expires_wall_ns, 7);
	f->next_ns = 0;
	assert_int_equal(db_runs_load(f->db, &db_volume_runs, take_volume_run, f, NULL), 0);
	assert_int_equal(f->next_ns, 3);
}

static void test_volumes(void **state)
{
	struct fixture *f = *state;
	struct volume_snap *snap = volume_snap_new("s0");

	f->volume = volume_record_new("default", "data");
	f->volume->volume = xstrdup("v0");
	assert_int_equal(db_volume_insert(f->db, f->volume, NULL), 0);
	snap->volume_id = f->volume->id;
	snap->volume = xstrdup("v1");
	snap->expires_wall_ns = 5;
	snap->scheduled = true;
	assert_int_equal(db_volume_snap_insert(f->db, snap, NULL), 0);
	assert_int_equal(db_volume_snaps_load(f->db, take_volume_snap, f, NULL), 0);
	assert_int_equal(f->snap->expires_wall_ns, 5);
	assert_true(f->snap->scheduled);
	snap->expires_wall_ns = 7;
	assert_int_equal(db_volume_snap_update(f->db, snap, NULL), 0);
	assert_int_equal(db_volume_snaps_load(f->db, take_volume_snap, f, NULL), 0);
	assert_int_equal(f->snap->expires_wall_ns, 7);
	assert_string_equal(f->snap->name, "s0");
	assert_int_equal(db_run_set(f->db, &db_volume_runs, f->volume->id, "@weekly", 3, NULL), 0);
	assert_int_equal(db_runs_load(f->db, &db_volume_runs, take_volume_run, f, NULL), 0);
	assert_int_equal(f->next_ns, 3);
	move_volume(f, snap);
	/* all of it goes with the volume */
	assert_int_equal(db_volume_delete(f->db, f->volume->id, NULL), 0);
	f->next_ns = 0;
	assert_int_equal(db_runs_load(f->db, &db_volume_runs, take_volume_run, f, NULL), 0);
	assert_int_equal(f->next_ns, 0);
	volume_snap_free(snap);
	volume_snap_free(f->snap);
	volume_record_free(f->volume);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_references, setup, teardown),
		cmocka_unit_test_setup_teardown(test_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_volumes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

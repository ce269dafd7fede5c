/*
 * core/volume_create.c - a new custom volume: empty, or a copy with its snapshots
 *
 *   hold -> journal -> make -> record
 *
 * The name is taken at once, by a volume that nobody finds until its row is there.
 */
#include <errno.h>
#include <stdlib.h>

#include "aio/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/pool.h"
#include "core/volume.h"
#include "core/volume_making.h"
#include "db/volumes.h"
#include "spec/keys.h"
#include "storage/policy.h"

void volume_copying_done(struct volume_copying *copying)
{
	free(copying->pool);
	free(copying->from);
	free(copying->from_snapshot);
	strmap_done(&copying->copies);
}

static void free_args(void *data)
{
	struct volume_copying *args = data;

	volume_copying_done(args);
	free(args);
}

static char *key_of(const struct volume *volume)
{
	return xasprintf("%s/%s", volume->record->pool, volume->record->name);
}

char **volume_snapshot_uuids(const struct volume *volume)
{
	char **volumes = NULL;

	vec_for_each(snap, &volume->snapshots)
		strv_push(&volumes, (*snap)->volume);
	return volumes;
}

enum op_next volume_making_hold(struct op *op)
{
	(void)op; /* whoever made the operation did */
	return OP_NEXT;
}

enum op_next volume_making_undo_hold(struct op *op)
{
	struct volume_making *args = op->args;
	_cleanup_(freep) char *key = key_of(args->volume);

	(void)strmap_unset(&op->core->volumes, key);
	args->volume = NULL;
	return OP_NEXT;
}

enum op_next volume_making_journal(struct op *op)
{
	const struct volume_making *args = op->args;
	_cleanup_(strv_freep) char **snapshots = volume_snapshot_uuids(args->volume);

	return op_result(
		volume_journal(op, "volume-create", args->volume->record, snapshots, &op->err));
}

static int fill_origin(struct op *op, struct job *job)
{
	const struct volume_copying *args = op->args;

	if (!args->pool)
		return 0;
	job->from_volume = xstrdup(args->from);
	job->snapshot = xstrdup(args->from_snapshot);
	job->pass = args->live ? COPY_LIVE : COPY_WHOLE;
	strmap_merge(&job->properties, &args->copies);
	if (streq(args->pool, args->making.volume->record->pool))
		return 0;
	return pool_fill_from(op->core, args->pool, job, &op->err);
}

enum op_next volume_copying_make(struct op *op, job_done_fn *done)
{
	const struct volume_copying *args = op->args;
	const struct volume_record *record = args->making.volume->record;
	struct job job = { .kind = JOB_CUSTOM_CREATE };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, record->pool, &job, &op->err) == 0 &&
	    fill_origin(op, &job) == 0) {
		job.volume = xstrdup(record->volume);
		job.size_bytes = volume_size(record);
		next = job_run(op, &job, -EBADF, done);
	}
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next step_make(struct op *op)
{
	return volume_copying_make(op, NULL);
}

static enum op_next making_is_gone(struct op *op, const struct job_report *report)
{
	(void)job_undone(op, report);
	return journal_undo(op);
}

enum op_next volume_making_undo(struct op *op)
{
	const struct volume *volume = ((const struct volume_making *)op->args)->volume;
	_cleanup_(strv_freep) char **snapshots = volume_snapshot_uuids(volume);
	struct err err = { 0 };
	enum op_next next = volume_remove(op, volume->record, snapshots, making_is_gone, &err);

	return next == OP_FAIL ? OP_NEXT : next; /* the row stays */
}

static int insert_rows(struct op *op, struct err *err)
{
	struct volume *volume = ((struct volume_making *)op->args)->volume;
	struct db *db = op->core->db;
	int r = db_volume_insert(db, volume->record, err);

	for (size_t i = 0; i < volume->snapshots.len && r == 0; i++) {
		volume->snapshots.items[i]->volume_id = volume->record->id;
		r = db_volume_snap_insert(db, volume->snapshots.items[i], err);
	}
	return r < 0 ? r : journal_erase_in_tx(op, err);
}

enum op_next volume_making_record(struct op *op)
{
	struct volume_making *args = op->args;
	struct db *db = op->core->db;
	int r = db_begin(db, &op->err);

	if (r < 0)
		return OP_FAIL;
	r = insert_rows(op, &op->err);
	r = db_end(db, r, &op->err);
	if (r < 0)
		return OP_FAIL;
	op_no_return(op);
	args->volume->stored = true;
	volume_publish(op->core, "storage-volume-created", args->volume->record, NULL);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "hold", volume_making_hold, volume_making_undo_hold },
	{ "journal", volume_making_journal, volume_making_undo },
	{ "make", step_make, NULL },
	{ "record", volume_making_record, NULL },
	{ 0 },
};
static const struct op_table create_table = { "volume-create", steps };

/* ---- the request ---- */

void volume_copying_add_snapshots(struct volume_copying *copying, const struct volume *from)
{
	char uuid[UUID_LEN];

	vec_for_each(snap, &from->snapshots) {
		struct volume_snap *copy = volume_snap_copy(*snap);

		copy->id = 0;
		replace_str(&copy->volume, uuid_new(uuid));
		strmap_set(&copying->copies, (*snap)->volume, uuid);
		*vec_push(&copying->making.volume->snapshots) = copy;
	}
}

static int find_origin(struct core *core, const struct volume_origin *origin,
		       struct volume_copying *args, struct volume **ret_from, struct err *err)
{
	struct volume_snap *snap = NULL;
	struct volume *from = NULL;
	int r = volume_find(core, origin->pool, origin->name, &from, err);

	if (r == 0)
		r = volume_check_free(from, err);
	if (r == 0 && origin->snapshot)
		r = volume_find_snap(from, origin->snapshot, &snap, err);
	if (r < 0)
		return r;
	args->pool = xstrdup(origin->pool);
	if (snap)
		args->from_snapshot = xstrdup(snap->volume);
	else
		args->from = xstrdup(from->record->volume);
	args->live = !snap && volume_has_running_users(from);
	if (!snap && !origin->alone)
		volume_copying_add_snapshots(args, from);
	*ret_from = from;
	return 0;
}

int volume_making_check(struct core *core, const struct volume_record *record, struct err *err)
{
	_cleanup_(freep) char *key = xasprintf("%s/%s", record->pool, record->name);
	struct pool_record *pool = NULL;
	struct job job = { 0 };
	int r = core_check_open(core, err);

	if (r == 0)
		r = pool_find(core, record->pool, &pool, err);
	if (r == 0)
		r = pool_fill_job(core, record->pool, &job, err); /* it is there */
	wire_free(&job_schema, &job);
	if (r == 0)
		r = volume_record_validate(record, err);
	if (r == 0)
		r = volume_check_size(core, record, err);
	if (r == 0 && strmap_has(&core->volumes, key))
		r = err_kind(err, ERR_CONFLICT,
			     "storage volume \"%s\" exists already in pool \"%s\"", record->name,
			     record->pool);
	return r;
}

static void fill_from_origin(struct volume_record *record, const struct volume_record *from)
{
	strmap_for_each(entry, &from->config) if (!strmap_has(&record->config, entry->key))
		strmap_set(&record->config, entry->key, entry->value);
	if (str_empty(record->description))
		replace_str(&record->description, from->description);
}

int volume_create(struct core *core, const struct volume_record *record,
		  const struct volume_origin *origin, struct op **ret_op, struct err *err)
{
	_cleanup_(freep) char *key = xasprintf("%s/%s", record->pool, record->name);
	struct volume_copying *args = xcalloc(1, sizeof(*args));
	struct volume *volume = xcalloc(1, sizeof(*volume)), *from = NULL;
	char uuid[UUID_LEN];
	struct op *op;
	int r = 0;

	volume->core = core;
	volume->record = volume_record_copy(record);
	volume->record->id = 0;
	volume->record->created_wall_ns = aio_wall_now(core->loop);
	replace_str(&volume->record->volume, uuid_new(uuid));
	args->making.volume = volume;
	if (origin->name)
		r = find_origin(core, origin, args, &from, err);
	if (r == 0 && from)
		fill_from_origin(volume->record, from->record);
	keys_drop_empty(&volume->record->config);
	if (r == 0)
		r = volume_making_check(core, volume->record, err);
	if (r < 0)
		free_args(args);
	op = r < 0 ? NULL
		   : op_new(core, OP_TASK,
			    from ? "Copying storage volume" : "Creating storage volume", args,
			    free_args, err);
	if (!op) {
		volume_free(volume);
		return r < 0 ? r : -EBUSY;
	}
	if (from)
		(void)volume_claim(from, op, NULL); /* it is free */
	(void)volume_claim(volume, op, NULL);
	strmap_set_take(&core->volumes, key, volume);
	volume_add_resource(op, volume->record, NULL);
	op_add_table(op, &create_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

/*
 * core/volume_snapshot.c - snapshots of custom volumes: made, restored, deleted; what they take
 *
 * On btrfs a snapshot is of one moment. Elsewhere a volume that running instances write to is copied
 * file by file as it is read: several instances may have it, and none is stopped for that.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "aio/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/pool.h"
#include "core/snapshot.h"
#include "core/still.h"
#include "core/usage.h"
#include "core/volume.h"
#include "core/volume_making.h"
#include "db/volumes.h"
#include "spec/names.h"
#include "spec/snapshot.h"
#include "storage/policy.h"

struct snap_args {
	struct volume_still still;
	char *from;	 /* uuid of what is restored */
	char **names;	 /* of what is deleted */
	char **from_all; /* uuids of that */
};

static void free_args(void *data)
{
	struct snap_args *args = data;

	volume_snap_free(args->still.snap);
	free(args->from);
	strv_free(args->names);
	strv_free(args->from_all);
	free(args);
}

static const struct volume_record *record_of(const struct op *op)
{
	return ((const struct volume_still *)op->args)->volume->record;
}

static int start(struct op *op, struct volume *volume, const struct op_table *table,
		 const char *snap, struct op **ret_op)
{
	(void)volume_claim(volume, op, NULL); /* it is free */
	volume_add_resource(op, volume->record, snap);
	op_add_table(op, table);
	op_start(op);
	*ret_op = op;
	return 0;
}

static enum op_next run(struct op *op, struct job *job, job_done_fn *done)
{
	const struct volume_still *args = op->args;
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, record_of(op)->pool, job, &op->err) == 0) {
		job->custom = true;
		job->stage = xstrdup(args->stage[0] != '\0' ? args->stage : NULL);
		next = job_run(op, job, -EBADF, done);
	}
	wire_free(&job_schema, job);
	return next;
}

/* ---- making ---- */

static enum op_next step_journal(struct op *op)
{
	const struct volume_still *args = op->args;
	char *snapshots[] = { args->snap->volume, NULL };

	return op_result(
		volume_journal(op, "volume-snapshot-create", record_of(op), snapshots, &op->err));
}

static enum op_next copied(struct op *op, const struct job_report *report)
{
	const struct volume_still *args = op->args;

	if (!report->done)
		still_drop_stage(op->core, record_of(op)->pool, args->stage);
	return op_result(op->err.code);
}

static enum op_next step_copy(struct op *op)
{
	const struct volume_still *args = op->args;
	struct job job = { .kind = JOB_SNAPSHOT_COPY,
			   .volume = xstrdup(record_of(op)->volume),
			   .pass = args->live ? COPY_LIVE : COPY_WHOLE };

	return run(op, &job, copied);
}

static enum op_next undo_copy(struct op *op)
{
	const struct volume_still *args = op->args;
	struct job job = { .kind = JOB_SNAPSHOT_DELETE };
	enum op_next next;

	if (args->snap)
		strv_push(&job.snapshots, args->snap->volume);
	next = run(op, &job, job_undone);
	if (next == OP_FAIL)
		op->undo_failed = true;
	return next == OP_FAIL ? OP_NEXT : next;
}

static enum op_next committed(struct op *op, const struct job_report *report)
{
	const struct volume_still *args = op->args;

	if (op->err.code < 0)
		return OP_FAIL;
	args->snap->size_bytes = job_result_size(report);
	return OP_NEXT;
}

static enum op_next step_commit(struct op *op)
{
	const struct volume_still *args = op->args;
	struct job job = { .kind = JOB_SNAPSHOT_COMMIT, .snapshot = xstrdup(args->snap->volume) };

	return run(op, &job, committed);
}

static enum op_next step_record(struct op *op)
{
	struct snap_args *args = op->args;
	struct db *db = op->core->db;
	int r = db_begin(db, &op->err);

	if (r < 0)
		return OP_FAIL;
	r = db_volume_snap_insert(db, args->still.snap, &op->err);
	if (r == 0)
		r = journal_erase_in_tx(op, &op->err);
	r = db_end(db, r, &op->err);
	if (r < 0)
		return OP_FAIL;
	op_no_return(op);
	volume_publish(op->core, "storage-volume-snapshot-created", record_of(op),
		       args->still.snap->name);
	*vec_push(&args->still.volume->snapshots) = TAKE_PTR(args->still.snap);
	return OP_NEXT;
}

static const struct op_step still_steps[] = {
	{ "journal", step_journal, journal_undo },
	{ "copy", step_copy, undo_copy },
	{ "commit", step_commit, NULL },
	{ 0 },
};
const struct op_table volume_still_table = { "volume-still", still_steps };

void volume_still_init(struct volume *volume, struct volume_still *ret_still)
{
	char uuid[UUID_LEN];

	*ret_still = (struct volume_still){ .volume = volume, .snap = volume_snap_new("") };
	ret_still->snap->volume = xstrdup(uuid_new(uuid));
	ret_still->live = volume_has_running_users(volume);
	(void)uuid_new(ret_still->stage);
}

enum op_next volume_still_drop(struct op *op)
{
	const struct volume_still *args = op->args;
	struct job job = { .kind = JOB_SNAPSHOT_DELETE };

	strv_push(&job.snapshots, args->snap->volume);
	return run(op, &job, NULL);
}

static const struct op_step create_steps[] = {
	{ "journal", step_journal, journal_undo },
	{ "copy", step_copy, undo_copy },
	{ "commit", step_commit, NULL },
	{ "record", step_record, NULL },
	{ 0 },
};
static const struct op_table create_table = { "volume-snapshot-create", create_steps };

static bool is_taken(void *data, const char *name)
{
	struct volume_snap *snap;

	return volume_find_snap(data, name, &snap, NULL) == 0;
}

int volume_snap_create(struct volume *volume, const struct snapshot_request *request,
		       const char *description, struct op **ret_op, struct err *err)
{
	const struct strmap *config = &volume->record->config;
	int64_t now = aio_wall_now(volume->core->loop), expires = 0;
	_cleanup_(freep) char *chosen =
		snapshot_choose_name(config, request, now, is_taken, volume);
	struct snap_args *args;
	char uuid[UUID_LEN];
	struct op *op;
	int r = core_check_open(volume->core, err);

	if (r == 0)
		r = volume_check_free(volume, err);
	if (r == 0)
		r = name_validate(NAME_SNAPSHOT, chosen, err);
	if (r == 0 && is_taken(volume, chosen))
		r = err_kind(err, ERR_CONFLICT, "snapshot \"%s\" exists already", chosen);
	if (r == 0)
		r = snapshot_choose_expiry(config, request, now, &expires, err);
	if (r < 0)
		return r;
	args = xcalloc(1, sizeof(*args));
	args->still.volume = volume;
	args->still.snap = volume_snap_new(chosen);
	args->still.snap->volume_id = volume->record->id;
	args->still.snap->volume = xstrdup(uuid_new(uuid));
	args->still.snap->description = xstrdup(description);
	args->still.snap->created_wall_ns = now;
	args->still.snap->expires_wall_ns = expires;
	args->still.snap->scheduled = request->scheduled;
	args->still.live = volume_has_running_users(volume);
	(void)uuid_new(args->still.stage);
	op = op_new(volume->core, OP_TASK, "Snapshotting storage volume", args, free_args, err);
	return op ? start(op, volume, &create_table, chosen, ret_op) : -EBUSY;
}

/* ---- restoring ---- */

static int check_still(const struct volume *volume, struct err *err)
{
	_cleanup_(volume_users_done) struct volume_users users = { 0 };

	volume_get_users(volume, &users);
	for (char **name = users.instances; name && *name; name++) {
		const struct inst *inst = strmap_get(&volume->core->instances, *name);

		if (inst->state != INST_STOPPED)
			return err_kind(err, ERR_CONFLICT,
					"storage volume \"%s\": instance \"%s\", which has it, "
					"runs: stop it, or detach the volume, first",
					volume->record->name, *name);
		if (inst->op)
			return inst_check_free(inst, err);
	}
	return 0;
}

/* From here on nobody may begin to use it. */
static enum op_next step_close(struct op *op)
{
	const struct snap_args *args = op->args;

	if (check_still(args->still.volume, &op->err) < 0)
		return OP_FAIL;
	args->still.volume->closed = true;
	return OP_NEXT;
}

/* A stop answers when init is dead; what was mounted goes after that. */
static bool is_released(const struct volume *volume)
{
	_cleanup_(volume_users_done) struct volume_users users = { 0 };

	volume_get_users(volume, &users);
	for (char **name = users.instances; name && *name; name++)
		if (((const struct inst *)strmap_get(&volume->core->instances, *name))->conn)
			return false;
	return true;
}

static enum op_next step_await_released(struct op *op)
{
	struct volume *volume = ((const struct volume_still *)op->args)->volume;

	if (is_released(volume))
		return OP_NEXT;
	volume->awaiting = op;
	return OP_WAIT;
}

void volumes_check_await(struct core *core)
{
	strmap_for_each(entry, &core->volumes)
	{
		struct volume *volume = entry->value;
		struct op *op = volume->awaiting;

		if (!op || !is_released(volume))
			continue;
		volume->awaiting = NULL;
		op_resume(op, OP_NEXT);
	}
}

static enum op_next step_copy_back(struct op *op)
{
	const struct snap_args *args = op->args;
	struct job job = { .kind = JOB_SNAPSHOT_COPY, .snapshot = xstrdup(args->from) };

	return run(op, &job, copied);
}

static enum op_next step_swap(struct op *op)
{
	struct job job = { .kind = JOB_SNAPSHOT_COMMIT,
			   .volume = xstrdup(record_of(op)->volume),
			   .size_bytes = volume_size(record_of(op)) };

	return run(op, &job, NULL);
}

static enum op_next step_tell(struct op *op)
{
	const struct snap_args *args = op->args;

	op_no_return(op);
	args->still.volume->closed = false;
	volume_publish(op->core, "storage-volume-restored", record_of(op), NULL);
	return OP_NEXT;
}

static const struct op_step restore_steps[] = {
	{ "close", step_close, NULL },	       { "await-released", step_await_released, NULL },
	{ "copy", step_copy_back, undo_copy }, { "swap", step_swap, NULL },
	{ "tell", step_tell, NULL },	       { 0 },
};
static const struct op_table restore_table = { "volume-restore", restore_steps };

static int find_for(struct volume *volume, const char *name, struct snap_args **ret_args,
		    struct err *err)
{
	struct volume_snap *snap = NULL;
	struct snap_args *args;
	int r = core_check_open(volume->core, err);

	if (r == 0)
		r = volume_check_free(volume, err);
	if (r == 0)
		r = volume_find_snap(volume, name, &snap, err);
	if (r < 0)
		return r;
	args = xcalloc(1, sizeof(*args));
	args->still.volume = volume;
	args->from = xstrdup(snap->volume);
	*ret_args = args;
	return 0;
}

int volume_snap_restore(struct volume *volume, const char *name, struct op **ret_op,
			struct err *err)
{
	struct snap_args *args = NULL;
	struct op *op;
	int r = check_still(volume, err);

	if (r == 0)
		r = find_for(volume, name, &args, err);
	if (r < 0)
		return r;
	(void)uuid_new(args->still.stage);
	op = op_new(volume->core, OP_TASK, "Restoring storage volume", args, free_args, err);
	return op ? start(op, volume, &restore_table, NULL, ret_op) : -EBUSY;
}

/* ---- deleting ---- */

static int forget_rows(struct op *op, struct err *err)
{
	const struct snap_args *args = op->args;
	struct volume_snap *snap;
	int r = volume_journal(op, "volume-snapshot-delete", record_of(op), args->from_all, err);

	for (char **name = args->names; r == 0 && *name; name++) {
		r = volume_find_snap(args->still.volume, *name, &snap, err);
		if (r == 0)
			r = db_volume_snap_delete(op->core->db, snap->id, err);
	}
	return r;
}

static void drop_from_memory(struct volume *volume, const char *name)
{
	size_t kept = 0;

	vec_for_each(snap, &volume->snapshots) {
		if (streq((*snap)->name, name))
			volume_snap_free(*snap);
		else
			volume->snapshots.items[kept++] = *snap;
	}
	volume->snapshots.len = kept;
}

/* The point of no return: the rows go, a journal row for the directories comes. */
static enum op_next step_forget(struct op *op)
{
	const struct snap_args *args = op->args;
	struct db *db = op->core->db;
	int r = db_begin(db, &op->err);

	if (r < 0)
		return OP_FAIL;
	r = forget_rows(op, &op->err);
	r = db_end(db, r, &op->err);
	if (r < 0)
		return OP_FAIL;
	op_no_return(op);
	for (char **name = args->names; *name; name++) {
		drop_from_memory(args->still.volume, *name);
		volume_publish(op->core, "storage-volume-snapshot-deleted", record_of(op), *name);
	}
	return OP_NEXT;
}

static enum op_next step_delete(struct op *op)
{
	const struct snap_args *args = op->args;
	struct job job = { .kind = JOB_SNAPSHOT_DELETE,
			   .snapshots = strv_copy((const char *const *)args->from_all) };

	return run(op, &job, NULL);
}

static enum op_next step_erase(struct op *op)
{
	journal_erase(op);
	return OP_NEXT;
}

static const struct op_step delete_steps[] = {
	{ "forget", step_forget, NULL },
	{ "delete", step_delete, NULL },
	{ "clean-up", step_erase, NULL },
	{ 0 },
};
static const struct op_table delete_table = { "volume-snapshot-delete", delete_steps };

int volume_snaps_delete(struct volume *volume, char *const *names, struct op **ret_op,
			struct err *err)
{
	struct snap_args *args = xcalloc(1, sizeof(*args));
	struct volume_snap *snap;
	struct op *op;
	int r = core_check_open(volume->core, err);

	if (r == 0)
		r = volume_check_unread(volume, err);
	if (r == 0)
		r = pool_check_there(volume->core, volume->record->pool, err);
	args->still.volume = volume;
	for (char *const *name = names; r == 0 && *name; name++) {
		r = volume_find_snap(volume, *name, &snap, err);
		if (r < 0)
			break;
		strv_push(&args->names, *name);
		strv_push(&args->from_all, snap->volume);
	}
	if (r < 0) {
		free_args(args);
		return r;
	}
	op = op_new(volume->core, OP_TASK, "Deleting storage volume snapshot", args, free_args,
		    err);
	if (!op)
		return -EBUSY;
	for (char *const *name = names + 1; names[0] && *name; name++)
		volume_add_resource(op, volume->record, *name);
	return start(op, volume, &delete_table, names[0], ret_op);
}

/* ---- how much it takes ---- */

int volume_measure(struct volume *volume, struct op **ret_op, struct err *err)
{
	const struct volume_record *record = volume->record;
	struct op *op =
		usage_op_new(volume->core, record->pool, JOB_CUSTOM_USAGE, record->volume, err);

	if (!op)
		return -EBUSY;
	volume_add_resource(op, record, NULL);
	op_start(op);
	*ret_op = op;
	return 0;
}

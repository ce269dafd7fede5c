/*
 * core/snapshot_restore.c - make an instance what it was
 *
 *   prepare: journal -> copy     (stop)     restore: await-released -> swap -> record     (start)
 *
 * The copy is made while a running instance still runs: it is down only for an exchange of two
 * directories, and when the copy fails nothing has happened. "swap" is the point of no return.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/image.h"
#include "core/inst.h"
#include "core/inst_events.h"
#include "core/inst_ops.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/pool.h"
#include "core/quota.h"
#include "core/snapshot.h"
#include "db/journal.h"
#include "spec/journal.h"
#include "spec/keys.h"

struct restore_args {
	struct inst_stop_args stop; /* first: inst_stop_table works with it */
	struct inst *inst;
	char *snapshot; /* name */
	char *volume;	/* of the snapshot */
	char stage[UUID_LEN];
	bool disk_only;
	bool start;		    /* it runs: it is to run again */
	struct op_waiter restarter; /* when that came to nothing */
	char *row_id;		    /* of an interrupted restore that this one finishes */
	int64_t row_wall_ns;	    /* when that one was */
	bool is_void;		    /* nothing is left to be done for it */
};

static void free_args(void *data)
{
	struct restore_args *args = data;

	aio_timer_stop(&args->stop.timer);
	free(args->snapshot);
	free(args->volume);
	free(args->row_id);
	free(args);
}

/* What will be the instance's volume has the size that will be the instance's. */
static void fill_swap(const struct op *op, struct job *job)
{
	const struct restore_args *args = op->args;
	const struct snap_record *snapshot = snapshot_by_volume(op->core, args->volume);
	struct expanded expanded = { 0 };

	job->volume = xstrdup(op->inst->record->name);
	if (args->disk_only || !snapshot) {
		job->size_bytes = quota_wanted(&op->inst->expanded);
		return;
	}
	inst_expand_with(op->core, snapshot->inst, NULL, &expanded);
	job->size_bytes = quota_wanted(&expanded);
	expanded_done(&expanded);
}

static enum op_next run_job(struct op *op, enum job_kind kind, job_done_fn *done)
{
	const struct restore_args *args = op->args;
	struct job job = { .kind = kind };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, op->inst->record->pool, &job, &op->err) == 0) {
		job.stage = xstrdup(args->stage);
		if (kind == JOB_SNAPSHOT_COPY)
			job.snapshot = xstrdup(args->volume);
		else
			fill_swap(op, &job);
		next = job_run(op, &job, -EBADF, done);
	}
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next step_copy(struct op *op)
{
	const struct restore_args *args = op->args;

	return args->is_void ? OP_NEXT : run_job(op, JOB_SNAPSHOT_COPY, NULL);
}

static enum op_next undo_copy(struct op *op)
{
	const struct restore_args *args = op->args;
	struct job job = { .kind = JOB_SNAPSHOT_DELETE };
	struct err err = { 0 };

	if (pool_fill_job(op->core, op->inst->record->pool, &job, &err) == 0) {
		job.stage = xstrdup(args->stage);
		job_run_detached(op->core, &job);
	}
	wire_free(&job_schema, &job);
	return OP_NEXT;
}

static enum op_next step_journal(struct op *op)
{
	const struct restore_args *args = op->args;
	struct strmap extra = { 0 };
	int r;

	strmap_set(&extra, "snapshot", args->volume);
	strmap_set(&extra, "disk_only", args->disk_only ? "true" : "false");
	strmap_set(&extra, "start", args->start ? "true" : "false");
	r = journal_write_with(op, "snapshot-restore", op->inst->record, &extra, &op->err);
	strmap_done(&extra);
	return op_result(r);
}

static enum op_next undo_journal(struct op *op)
{
	journal_erase(op);
	return OP_NEXT;
}

static const struct op_step prepare_steps[] = {
	{ "journal", step_journal, undo_journal },
	{ "copy", step_copy, undo_copy },
	{ 0 },
};
static const struct op_table prepare_table = { "snapshot-prepare", prepare_steps };

/* After a refusal nothing is exchanged: the journal must not have it done at the next start. */
static enum op_next swapped(struct op *op, const struct job_report *report)
{
	if (op->err.code == 0)
		return OP_NEXT;
	if (report->done) {
		journal_erase(op);
		(void)undo_copy(op);
	}
	return OP_FAIL;
}

static enum op_next step_swap(struct op *op)
{
	op_no_return(op);
	return run_job(op, JOB_SNAPSHOT_COMMIT, swapped);
}

static enum op_next step_record(struct op *op)
{
	const struct restore_args *args = op->args;
	_cleanup_(freep) char *pool = xstrdup(op->inst->record->pool);
	_cleanup_(freep) char *image = xstrdup(op->inst->record->image_fingerprint);
	struct snap_record *snapshot = snapshot_by_volume(op->core, args->volume);
	struct inst_record *record = NULL;

	if (!snapshot) {
		(void)err_kind(&op->err, ERR_NOT_FOUND, "the snapshot is gone");
		return OP_FAIL;
	}
	if (!args->disk_only)
		record = inst_record_copy(snapshot->inst);
	if (inst_update_restored(op, record, snapshot->inst->image_fingerprint, args->start,
				 &op->err) < 0)
		return OP_FAIL;
	image_volume_unused(op->core, pool, image);
	log_info(((struct log_keys){ .inst = op->inst->record->name }), "restored from=%s",
		 args->snapshot);
	events_publish_lifecycle(&op->core->events, "instance-restored", "instances",
				 op->inst->record->name);
	return OP_NEXT;
}

static const struct op_step restore_steps[] = {
	{ "await-released", inst_step_await_released, NULL },
	{ "swap", step_swap, NULL },
	{ "record", step_record, NULL },
	{ 0 },
};
static const struct op_table restore_table = { "snapshot-restore", restore_steps };

/* ---- the request ---- */

/* It was stopped to be restored, and that failed: it runs again as it was. */
static void start_again(struct op_waiter *waiter, struct op *op)
{
	const struct restore_args *args = container_of(waiter, struct restore_args, restarter);
	struct inst *inst = args->inst;
	struct err err = { 0 };
	struct op *start;

	if (op->status == OP_SUCCESS || inst->state != INST_STOPPED || inst->op)
		return;
	if (inst_change_state(inst, INST_START, -1, false, &start, &err) < 0)
		log_error(((struct log_keys){ .inst = inst->record->name }), "start it again: %s",
			  err.msg);
}

static int check(struct inst *inst, const char *name, bool disk_only,
		 struct snap_record **ret_snapshot, struct err *err)
{
	int r = core_check_open(inst->core, err);

	if (r == 0)
		r = snapshot_find(inst, name, ret_snapshot, err);
	if (r == 0 && !disk_only) {
		r = inst_check_restored(inst, (*ret_snapshot)->inst, err);
		if (r < 0)
			(void)err_wrap(err, "the snapshot's configuration (its disk alone can be "
					    "restored)");
	}
	return r < 0 ? r : inst_check_unread(inst, err);
}

static struct restore_args *make_args(struct inst *inst, const struct snap_record *snapshot,
				      bool disk_only)
{
	struct restore_args *args = xcalloc(1, sizeof(*args));

	args->inst = inst;
	args->stop.timeout_s = 0;
	args->stop.force = true; /* what it would write now is thrown away */
	args->snapshot = xstrdup(snapshot->name);
	args->volume = xstrdup(snapshot->volume);
	(void)uuid_new(args->stage);
	args->disk_only = disk_only;
	return args;
}

int snapshot_restore(struct inst *inst, const char *name, bool disk_only, struct op **ret_op,
		     struct err *err)
{
	struct snap_record *snapshot;
	struct restore_args *args;
	struct op *op;
	int r = check(inst, name, disk_only, &snapshot, err);

	if (r < 0)
		return r;
	args = make_args(inst, snapshot, disk_only);
	args->start = inst->state != INST_STOPPED;
	op = op_new(inst->core, OP_TASK, "Restoring snapshot", args, free_args, err);
	if (!op)
		return -EBUSY;
	(void)inst_claim(inst, op, NULL); /* it is free */
	snapshot_add_resource(op, inst, name);
	op_add_table(op, &prepare_table);
	if (args->start)
		op_add_table(op, &inst_stop_table);
	op_add_table(op, &restore_table);
	if (args->start)
		op_add_table(op, &inst_start_table);
	op_start(op);
	args->restarter.done = start_again;
	if (args->start)
		op_wait(op, &args->restarter);
	*ret_op = op;
	return 0;
}

/* ---- after a crash ---- */

static bool is_settled(struct inst *inst, struct op *op)
{
	(void)op;
	return inst->state == INST_STOPPED || inst_is_running(inst);
}

static enum op_next step_settle(struct op *op)
{
	return inst_await(op, is_settled);
}

/* It was not stopped yet, or has been started since: then there is nothing to be finished. */
static enum op_next step_judge(struct op *op)
{
	struct restore_args *args = op->args;

	args->is_void = op->inst->state != INST_STOPPED ||
			op->inst->record->last_used_wall_ns > args->row_wall_ns ||
			!snapshot_by_volume(op->core, args->volume);
	return OP_NEXT;
}

static enum op_next step_await_again(struct op *op)
{
	const struct restore_args *args = op->args;

	return args->is_void ? OP_NEXT : inst_step_await_released(op);
}

static enum op_next step_swap_again(struct op *op)
{
	const struct restore_args *args = op->args;

	return args->is_void ? OP_NEXT : run_job(op, JOB_SNAPSHOT_COMMIT, NULL);
}

static enum op_next step_record_again(struct op *op)
{
	const struct restore_args *args = op->args;

	return args->is_void ? OP_NEXT : step_record(op);
}

static enum op_next step_erase(struct op *op)
{
	const struct restore_args *args = op->args;

	return op_result(db_journal_delete(op->core->db, args->row_id, &op->err));
}

static enum op_next step_start(struct op *op)
{
	const struct restore_args *args = op->args;

	/* A table that is added now is run after this one. */
	if (args->start && !args->is_void)
		op_add_table(op, &inst_start_table);
	return OP_NEXT;
}

static const struct op_step again_steps[] = {
	{ "settle", step_settle, NULL },
	{ "judge", step_judge, NULL },
	{ "copy", step_copy, undo_copy },
	{ "await-released", step_await_again, NULL },
	{ "swap", step_swap_again, NULL },
	{ "record", step_record_again, NULL },
	{ "erase", step_erase, NULL },
	{ "start", step_start, NULL },
	{ 0 },
};
static const struct op_table again_table = { "restore-again", again_steps };

static void drop_row(struct core *core, const struct journal_record *row)
{
	struct err err = { 0 };

	if (db_journal_delete(core->db, row->id, &err) < 0)
		log_error(LOG_NONE, "forget journal row: %s", err.msg);
}

static struct restore_args *args_of_row(struct inst *inst, const struct snap_record *snapshot,
					const struct journal_record *row)
{
	struct restore_args *args =
		make_args(inst, snapshot, keys_get_bool(&row->data, "disk_only", false));

	args->start = keys_get_bool(&row->data, "start", false);
	args->row_id = xstrdup(row->id);
	args->row_wall_ns = row->created_wall_ns;
	return args;
}

void snapshot_restore_again(struct core *core, struct journal_record *row)
{
	_cleanup_(journal_record_freep) struct journal_record *owned = row;
	struct inst *inst = strmap_get(&core->instances, owned->object);
	struct snap_record *snapshot =
		snapshot_by_volume(core, strmap_get(&owned->data, "snapshot"));
	struct op *op;

	if (!inst || !snapshot || inst->op) {
		if (!inst || !snapshot)
			drop_row(core, owned);
		return;
	}
	op = op_new(core, OP_TASK, "Finishing a restore", args_of_row(inst, snapshot, owned),
		    free_args, NULL);
	if (!op)
		return;			  /* the row stays for the next start */
	(void)inst_claim(inst, op, NULL); /* it is free */
	snapshot_add_resource(op, inst, snapshot->name);
	op_add_table(op, &again_table);
	op_start(op);
}

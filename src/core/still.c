/* core/still.c - see still.h */
#include "core/still.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "aio/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/inst_events.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/monitor_conn.h"
#include "core/pool.h"
#include "spec/snapshot.h"
#include "storage/policy.h"

enum {
	MARGIN_MS = 2000, /* between our clock and the file system's */
	SETTLE_TIMEOUT_S = 30
};

void still_init(struct still *still)
{
	char uuid[UUID_LEN];

	still->snapshot = snap_record_new("still");
	still->snapshot->volume = xstrdup(uuid_new(uuid));
	(void)uuid_new(still->stage);
}

void still_done(struct still *still)
{
	aio_timer_stop(&still->patience);
	snap_record_free(still->snapshot);
	still->snapshot = NULL;
}

/* ---- the passes ---- */

/* What is copied. Gone while the op did not hold it: NULL. */
static struct inst *source_of(const struct op *op)
{
	const struct still *args = op->args;

	return args->source ? strmap_get(&op->core->instances, args->source) : op->inst;
}

static const char *stage_pool(const struct op *op)
{
	const struct still *args = op->args;

	return args->pool ? args->pool : op->inst->record->pool;
}

static int fill_job(struct op *op, struct job *job)
{
	struct still *args = op->args;
	int r = pool_fill_job(op->core, stage_pool(op), job, &op->err);

	if (r < 0)
		return r;
	job->stage = xstrdup(args->stage);
	if (args->fill_job)
		return args->fill_job(op, job);
	job->volume = xstrdup(op->inst->record->name);
	return 0;
}

void still_drop_stage(struct core *core, const char *pool, const char *stage)
{
	struct job job = { .kind = JOB_SNAPSHOT_DELETE };

	if (pool_fill_job(core, pool, &job, NULL) == 0) {
		job.stage = xstrdup(stage);
		job_run_detached(core, &job);
	}
	wire_free(&job_schema, &job);
}

static enum op_next copied(struct op *op, const struct job_report *report)
{
	const struct still *args = op->args;

	if (!report->done)
		still_drop_stage(op->core, op->inst->record->pool, args->stage);
	return op_result(op->err.code);
}

static enum op_next copy_job(struct op *op, enum copy_pass pass)
{
	struct still *args = op->args;
	struct inst *source = source_of(op);
	struct job job = { .kind = JOB_SNAPSHOT_COPY };
	enum op_next next = OP_FAIL;
	int r = fill_job(op, &job);

	if (r == 0) {
		if (pass != COPY_REST)
			args->live = !job.snapshot && source && source->state != INST_STOPPED &&
				     source->state != INST_FROZEN;
		job.pass = pass != COPY_REST && args->live ? COPY_LIVE : pass;
		job.since_wall_ns = args->since_wall_ns;
		next = job_run(op, &job, -EBADF, pass == COPY_REST ? NULL : copied);
	}
	wire_free(&job_schema, &job);
	return next;
}

enum op_next still_step_copy(struct op *op)
{
	struct still *args = op->args;

	args->since_wall_ns = aio_wall_now(op->core->loop) - (int64_t)MARGIN_MS * NS_PER_MS;
	return copy_job(op, COPY_WHOLE);
}

enum op_next still_drop(struct op *op, const char *pool)
{
	const struct still *args = op->args;
	struct job job = { .kind = JOB_SNAPSHOT_DELETE };
	struct err err = { 0 };
	enum op_next next = OP_NEXT;

	if (pool_fill_job(op->core, pool, &job, &err) == 0) {
		job.stage = xstrdup(args->stage);
		if (args->snapshot)
			strv_push(&job.snapshots, args->snapshot->volume);
		next = job_run(op, &job, -EBADF, job_undone);
	} else {
		op->undo_failed = true;
	}
	wire_free(&job_schema, &job);
	return next == OP_FAIL ? OP_NEXT : next;
}

enum op_next still_undo_copy(struct op *op)
{
	return still_drop(op, stage_pool(op));
}

/* Between two states it cannot be frozen. */
static bool is_settled(struct inst *inst, struct op *op)
{
	struct still *args = op->args;
	bool settled = inst->state == INST_STOPPED || inst_is_running(inst);

	if (!settled && aio_timer_armed(&args->patience))
		return false;
	aio_timer_stop(&args->patience);
	if (!settled)
		(void)err_kind(
			&op->err, ERR_CONFLICT,
			"instance \"%s\" is neither running nor stopped since %d s; try again "
			"when it is",
			inst->record->name, SETTLE_TIMEOUT_S);
	return true;
}

static void lost_patience(void *data)
{
	inst_check_await(data);
}

enum op_next still_step_settle(struct op *op)
{
	struct still *args = op->args;
	struct inst *source = source_of(op);

	if (!args->live || !source)
		return OP_NEXT;
	aio_timer_start(op->core->loop, &args->patience, (uint64_t)SETTLE_TIMEOUT_S * NS_PER_S,
			lost_patience, source);
	return inst_await_of(op, source, is_settled);
}

/* It reboots, or stopped by itself: what it is by now was told before the refusal. */
static void freeze_refused(struct op *op)
{
	struct still *args = op->args;
	struct inst *source = source_of(op);

	args->frozen = false;
	if (source)
		source->holds_still = false;
	if (still_step_settle(op) == OP_WAIT)
		op->again = true; /* when it has settled */
	else
		op_resume_again(op);
}

static void frozen(void *data, const struct msg *answer, enum msg_type type, int *fds, size_t n_fds)
{
	struct op *op = data;
	struct err err = { 0 };
	int r = monitor_answer_err(answer, type, &err);

	(void)fds;
	(void)n_fds;
	if (r < 0 && err.kind == ERR_CONFLICT) {
		freeze_refused(op);
	} else {
		if (r < 0)
			op->err = err;
		op_resume(op, op_result(r));
	}
	op_unref(op);
}

enum op_next still_step_freeze(struct op *op)
{
	const struct msg msg = { .force = true }; /* thawed when we die */
	struct still *args = op->args;
	struct inst *source = source_of(op);
	int r;

	if (!args->live || !source || source->state != INST_RUNNING)
		return OP_NEXT;
	args->frozen = true;
	args->frozen_ns = aio_now(op->core->loop);
	source->holds_still = true;
	r = monitor_request(source, MSG_FREEZE, &msg, NULL, 0, frozen, op);
	if (r < 0) {
		(void)err_set(&op->err, r, "ask the monitor to freeze \"%s\"",
			      source->record->name);
		return OP_FAIL;
	}
	(void)op_ref(op);
	return OP_WAIT;
}

/* Refused: its processes have ended meanwhile. */
static void thawed(void *data, const struct msg *answer, enum msg_type type, int *fds, size_t n_fds)
{
	struct op *op = data;
	struct err err = { 0 };
	bool failed = monitor_answer_err(answer, type, &err) < 0 && err.kind != ERR_CONFLICT;

	(void)fds;
	(void)n_fds;
	if (failed && !op->undoing)
		op->err = err;
	op_resume(op, failed && !op->undoing ? OP_FAIL : OP_NEXT);
	op_unref(op);
}

enum op_next still_step_thaw(struct op *op)
{
	const struct still *args = op->args;
	struct inst *source = source_of(op);

	if (!args->frozen || !source ||
	    monitor_request(source, MSG_THAW, NULL, NULL, 0, thawed, op) < 0)
		return OP_NEXT; /* without a monitor it has stopped */
	(void)op_ref(op);
	return OP_WAIT;
}

enum op_next still_step_copy_rest(struct op *op)
{
	const struct still *args = op->args;

	return args->live ? copy_job(op, COPY_REST) : OP_NEXT;
}

/* How long it held still, for whoever asks. */
enum op_next still_step_note_pause(struct op *op)
{
	struct still *args = op->args;
	struct inst *source = source_of(op);
	uint64_t pause_ns = aio_now(op->core->loop) - args->frozen_ns;

	if (source)
		source->holds_still = false;
	if (args->frozen)
		strmap_set_take(&op->metadata, args->source ? "source_paused_ms" : "pause_ms",
				xasprintf("%" PRIu64, pause_ns / NS_PER_MS));
	args->frozen = false;
	return OP_NEXT;
}

enum op_next still_undo_freeze(struct op *op)
{
	struct inst *source = source_of(op);
	enum op_next next = still_step_thaw(op);

	if (source)
		source->holds_still = false;
	return next;
}

/* ---- what becomes of it ---- */

enum op_next still_step_journal(struct op *op)
{
	const struct still *args = op->args;
	struct strmap extra = { 0 };
	int r;

	strmap_set(&extra, "stage", args->stage);
	strmap_set(&extra, "snapshots", args->snapshot->volume);
	r = journal_write_with(op, "snapshot-create", op->inst->record, &extra, &op->err);
	strmap_done(&extra);
	return op_result(r);
}

static enum op_next committed(struct op *op, const struct job_report *report)
{
	const struct still *args = op->args;

	if (op->err.code < 0)
		return OP_FAIL;
	args->snapshot->size_bytes = job_result_size(report);
	return OP_NEXT;
}

enum op_next still_step_commit(struct op *op)
{
	const struct still *args = op->args;
	struct job job = { .kind = JOB_SNAPSHOT_COMMIT };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, op->inst->record->pool, &job, &op->err) == 0) {
		job.stage = xstrdup(args->stage);
		job.snapshot = xstrdup(args->snapshot->volume);
		next = job_run(op, &job, -EBADF, committed);
	}
	wire_free(&job_schema, &job);
	return next;
}

static const struct op_step steps[] = {
	{ "journal", still_step_journal, journal_undo },
	STILL_STEPS,
	{ "commit", still_step_commit, NULL },
	{ 0 },
};
const struct op_table still_table = { "still", steps };

enum op_next still_step_drop(struct op *op)
{
	return still_undo_copy(op);
}

enum op_next still_step_erase(struct op *op)
{
	return journal_undo(op);
}

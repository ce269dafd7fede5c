/*
 * core/snapshot_create.c - a new snapshot, of an instance that runs or does not
 *
 *   journal -> copy -> settle -> freeze -> copy-rest -> thaw -> commit -> record
 *
 * The first copy is made while the container works; then it holds still for what has changed since.
 * Writing out to the disk comes after that pause. A stopped one is copied once and never frozen. What
 * exports or publishes an instance that runs works on such a copy, which gets no row and goes again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aio/loop.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/inst_events.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/monitor_conn.h"
#include "core/pool.h"
#include "core/snapshot.h"
#include "db/snapshots.h"
#include "spec/keys.h"
#include "spec/names.h"
#include "storage/policy.h"

enum {
	MARGIN_MS = 2000 /* between our clock and the file system's */
};

void still_done(struct still *still)
{
	snap_record_free(still->snapshot);
	still->snapshot = NULL;
}

static void free_args(void *data)
{
	still_done(data);
	free(data);
}

static enum op_next step_journal(struct op *op)
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

static enum op_next copy_job(struct op *op, uint32_t pass)
{
	const struct still *args = op->args;
	struct job job = { .kind = JOB_SNAPSHOT_COPY };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, op->inst->record->pool, &job, &op->err) == 0) {
		job.volume = xstrdup(op->inst->record->name);
		job.stage = xstrdup(args->stage);
		job.pass = pass;
		job.since_wall_ns = args->since_wall_ns;
		next = job_run(op, &job, -EBADF, NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next step_copy(struct op *op)
{
	struct still *args = op->args;

	args->live = op->inst->state != INST_STOPPED && op->inst->state != INST_FROZEN;
	args->since_wall_ns = aio_wall_now(op->core->loop) - (int64_t)MARGIN_MS * NS_PER_MS;
	return copy_job(op, args->live ? COPY_LIVE : COPY_WHOLE);
}

static enum op_next undo_copy(struct op *op)
{
	const struct still *args = op->args;
	struct job job = { .kind = JOB_SNAPSHOT_DELETE };
	struct err err = { 0 };
	enum op_next next = OP_NEXT;

	if (pool_fill_job(op->core, op->inst->record->pool, &job, &err) == 0) {
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

/* Between two states it cannot be frozen. */
static bool is_settled(struct inst *inst, struct op *op)
{
	(void)op;
	return inst->state == INST_STOPPED || inst_is_running(inst);
}

static enum op_next step_settle(struct op *op)
{
	const struct still *args = op->args;

	return args->live ? inst_await(op, is_settled) : OP_NEXT;
}

static enum op_next step_freeze(struct op *op)
{
	const struct msg msg = { .force = true }; /* thawed when we die */
	struct still *args = op->args;

	if (!args->live || op->inst->state != INST_RUNNING)
		return OP_NEXT;
	args->frozen = true;
	args->frozen_ns = aio_now(op->core->loop);
	op->inst->holds_still = true;
	return inst_request(op, MSG_FREEZE, &msg);
}

static enum op_next step_thaw(struct op *op)
{
	struct still *args = op->args;

	if (!args->frozen || !op->inst->conn)
		return OP_NEXT;
	return inst_request(op, MSG_THAW, NULL);
}

static enum op_next step_copy_rest(struct op *op)
{
	const struct still *args = op->args;

	return args->live ? copy_job(op, COPY_REST) : OP_NEXT;
}

/* How long it held still, for whoever asks. */
static enum op_next step_note_pause(struct op *op)
{
	struct still *args = op->args;
	uint64_t pause_ns = aio_now(op->core->loop) - args->frozen_ns;

	op->inst->holds_still = false;
	if (args->frozen)
		strmap_set_take(&op->metadata, "pause_ms",
				xasprintf("%" PRIu64, pause_ns / NS_PER_MS));
	args->frozen = false;
	return OP_NEXT;
}

static enum op_next undo_freeze(struct op *op)
{
	enum op_next next = step_thaw(op);

	op->inst->holds_still = false;
	return next;
}

static enum op_next committed(struct op *op, const struct job_report *report)
{
	const struct still *args = op->args;
	const char *size = strmap_get(&report->result, "size");

	if (op->err.code < 0)
		return OP_FAIL;
	if (size)
		(void)parse_u64(size, INT64_MAX, &args->snapshot->size_bytes); /* else unknown */
	return OP_NEXT;
}

static enum op_next step_commit(struct op *op)
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

static int store(struct op *op)
{
	const struct still *args = op->args;
	struct db *db = op->core->db;
	int r = db_begin(db, &op->err);

	if (r < 0)
		return r;
	r = db_snapshot_insert(db, args->snapshot, &op->err);
	if (r == 0)
		r = journal_erase_in_tx(op, &op->err);
	return db_end(db, r, &op->err);
}

static enum op_next step_record(struct op *op)
{
	struct still *args = op->args;
	struct inst *inst = op->inst;

	if (store(op) < 0)
		return OP_FAIL;
	op_no_return(op);
	snapshot_publish(inst, "instance-snapshot-created", args->snapshot->name);
	log_info(((struct log_keys){ .inst = inst->record->name }), "snapshot made name=%s",
		 args->snapshot->name);
	*vec_push(&inst->snapshots) = TAKE_PTR(args->snapshot);
	return OP_NEXT;
}

/* ---- a copy that is no snapshot ---- */

void still_init(struct still *still)
{
	char uuid[UUID_LEN];

	still->snapshot = snap_record_new("still");
	still->snapshot->volume = xstrdup(uuid_new(uuid));
	(void)uuid_new(still->stage);
}

static const struct op_step still_steps[] = {
	{ "journal", step_journal, journal_undo },
	{ "copy", step_copy, undo_copy },
	{ "settle", step_settle, NULL },
	{ "freeze", step_freeze, undo_freeze },
	{ "copy-rest", step_copy_rest, NULL },
	{ "thaw", step_thaw, NULL },
	{ "note-pause", step_note_pause, NULL },
	{ "commit", step_commit, NULL },
	{ 0 },
};
const struct op_table still_table = { "still", still_steps };

enum op_next still_step_drop(struct op *op)
{
	return undo_copy(op);
}

enum op_next still_step_erase(struct op *op)
{
	return journal_undo(op);
}

/* ---- a snapshot ---- */

static const struct op_step steps[] = {
	{ "journal", step_journal, journal_undo }, { "copy", step_copy, undo_copy },
	{ "settle", step_settle, NULL },	   { "freeze", step_freeze, undo_freeze },
	{ "copy-rest", step_copy_rest, NULL },	   { "thaw", step_thaw, NULL },
	{ "note-pause", step_note_pause, NULL },   { "commit", step_commit, NULL },
	{ "record", step_record, NULL },	   { 0 },
};
static const struct op_table create_table = { "snapshot-create", steps };

/* ---- the request ---- */

static bool is_taken(void *data, const char *name)
{
	struct snap_record *snapshot;

	return snapshot_find(data, name, &snapshot, NULL) == 0;
}

static char *choose_name(struct inst *inst, const char *name, int64_t now_wall_ns)
{
	time_t now_s = (time_t)(now_wall_ns / NS_PER_S);
	struct tm local;

	if (!str_empty(name))
		return xstrdup(name);
	(void)localtime_r(&now_s, &local);
	return snapshot_make_name(keys_get(&inst->expanded.config, "snapshots.pattern",
					   SNAPSHOT_PATTERN),
				  &local, now_wall_ns, is_taken, inst);
}

static int choose_expiry(const struct inst *inst, const struct snapshot_request *request,
			 struct snap_record *snapshot, struct err *err)
{
	const char *key = request->scheduled ? "snapshots.expiry" : "snapshots.expiry.manual";

	snapshot->expires_wall_ns = request->expires_wall_ns;
	if (request->has_expiry)
		return 0;
	return snapshot_expiry(keys_get(&inst->expanded.config, key, ""), snapshot->created_wall_ns,
			       &snapshot->expires_wall_ns, err);
}

static int make_record(struct inst *inst, const struct snapshot_request *request,
		       struct snap_record **ret_snapshot, struct err *err)
{
	int64_t now = aio_wall_now(inst->core->loop);
	_cleanup_(freep) char *name = choose_name(inst, request->name, now);
	_cleanup_(snap_record_freep) struct snap_record *snapshot = NULL;
	char uuid[UUID_LEN];
	int r = name_validate(NAME_SNAPSHOT, name, err);

	if (r < 0)
		return r;
	if (is_taken(inst, name))
		return err_kind(err, ERR_CONFLICT, "snapshot \"%s\" exists already", name);
	snapshot = snap_record_new(name);
	inst_record_free(snapshot->inst);
	snapshot->inst = inst_record_copy(inst->record);
	snapshot->instance_id = inst->record->id;
	snapshot->volume = xstrdup(uuid_new(uuid));
	snapshot->created_wall_ns = now;
	snapshot->scheduled = request->scheduled;
	r = choose_expiry(inst, request, snapshot, err);
	if (r == 0)
		*ret_snapshot = TAKE_PTR(snapshot);
	return r;
}

int snapshot_create(struct inst *inst, const struct snapshot_request *request, struct op **ret_op,
		    struct err *err)
{
	struct still *args;
	struct snap_record *snapshot = NULL;
	struct op *op;
	int r = core_check_open(inst->core, err);

	if (r == 0)
		r = inst_check_free(inst, err);
	if (r == 0)
		r = make_record(inst, request, &snapshot, err);
	if (r < 0)
		return r;
	args = xcalloc(1, sizeof(*args));
	args->snapshot = snapshot;
	(void)uuid_new(args->stage);
	op = op_new(inst->core, OP_TASK, "Snapshotting instance", args, free_args, err);
	if (!op)
		return -EBUSY;
	(void)inst_claim(inst, op, NULL); /* it is free */
	snapshot_add_resource(op, inst, snapshot->name);
	op_add_table(op, &create_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

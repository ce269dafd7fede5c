/*
 * core/inst_refresh.c - a copy that is there is brought up to date with its source
 *
 *   check -> await-released -> hold-source -> await-source -> journal -> copy-snapshots ->
 *   STILL_STEPS (core/still.h) -> carry-over -> drop-detour -> replace-volume -> release-source ->
 *   record -> delete-gone -> clean-up
 *
 * Its snapshots become those of the source. What comes is there before the root is exchanged, under
 * uuids that the journal has ("instance-refresh"); what goes, goes after it: "record" exchanges the rows,
 * so one that takes the name of another is never beside it, nor is the name without one.
 * Until "replace-volume" a failure leaves the copy as it was; that is the point of no return. When nothing
 * comes of "record", it has a new root and its old snapshots; the next refresh brings the others.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/inst_events.h"
#include "core/inst_move.h"
#include "core/inst_ops.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/pool.h"
#include "core/snapshot.h"
#include "core/still.h"
#include "db/db.h"

static enum op_next snapshots_dropped(struct op *op, const struct job_report *report)
{
	(void)job_undone(op, report);
	return journal_undo(op);
}

/* The row goes after what it names: a copy of snapshots that fails has no undo of its own. */
static enum op_next undo_journal(struct op *op)
{
	const struct inst_create_request *request = op->args;
	bool in_stage = request->n_passed / 2 < request->coming.len;
	struct job job = { .kind = JOB_SNAPSHOT_DELETE };
	enum op_next next = OP_FAIL;

	if (request->coming.len == 0)
		return journal_undo(op);
	if (pool_fill_job(op->core, op->inst->record->pool, &job, NULL) == 0) {
		job.stage = xstrdup(in_stage ? request->still.stage : NULL);
		job.snapshots = snap_list_volumes(&request->coming);
		next = job_run(op, &job, -EBADF, snapshots_dropped);
	}
	wire_free(&job_schema, &job);
	return next == OP_FAIL ? OP_NEXT : next; /* the row stays for the next start */
}

static int store(struct op *op)
{
	struct inst_create_request *request = op->args;
	struct db *db = op->core->db;
	int r = db_begin(db, &op->err);

	if (r < 0)
		return r;
	r = journal_erase_in_tx(op, &op->err);
	if (r == 0 && request->going)
		r = snapshots_forget_in_tx(op, request->going, &request->rests, &op->err);
	if (r == 0)
		r = snapshots_insert_in_tx(op->inst, &request->coming, &op->err);
	return db_end(db, r, &op->err);
}

static enum op_next step_record(struct op *op)
{
	struct inst_create_request *request = op->args;
	struct inst *inst = op->inst;

	if (store(op) < 0)
		return OP_FAIL;
	log_info(((struct log_keys){ .inst = inst->record->name }),
		 "brought up to date from=%s snapshots_new=%zu snapshots_gone=%zu",
		 request->copy_from, request->coming.len, strv_len(request->going));
	if (request->going)
		snapshots_drop(inst, request->going);
	vec_for_each(snapshot, &request->coming) {
		snapshot_publish(inst, "instance-snapshot-created", (*snapshot)->name);
		snap_list_add(&inst->snapshots, TAKE_PTR(*snapshot));
	}
	request->coming.len = 0;
	return OP_NEXT;
}

static enum op_next step_delete_gone(struct op *op)
{
	const struct inst_create_request *request = op->args;

	return request->going ? snapshots_delete_rests(op, &request->rests) : OP_NEXT;
}

static enum op_next step_clean_up(struct op *op)
{
	const struct inst_create_request *request = op->args;

	if (request->going)
		snapshots_clean_up(op, &request->rests);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "check", inst_step_check_stopped, NULL },
	{ "await-released", inst_step_await_released, NULL },
	{ "hold-source", inst_copy_hold, inst_copy_let_go },
	{ "await-source", inst_copy_await_source, NULL },
	{ "journal", inst_copy_journal, undo_journal },
	{ "copy-snapshots", inst_copy_snapshots, NULL },
	STILL_STEPS,
	{ "carry-over", inst_copy_carry_over, inst_copy_undo_carry },
	{ "drop-detour", inst_copy_drop_detour, NULL },
	{ "replace-volume", inst_copy_volume, NULL },
	{ "release-source", inst_copy_let_go, NULL },
	{ "record", step_record, NULL },
	{ "delete-gone", step_delete_gone, NULL },
	{ "clean-up", step_clean_up, NULL },
	{ 0 },
};
static const struct op_table refresh_table = { "refresh", steps };

/* ---- the request ---- */

static void free_request(void *data)
{
	inst_create_request_free(data);
}

static int check_request(struct inst *inst, const struct inst_create_request *request,
			 struct err *err)
{
	struct inst *source = NULL;
	int r = core_check_open(inst->core, err);

	if (r == 0 && request->copy_snapshot)
		r = err_kind(err, ERR_UNSUPPORTED,
			     "a copy is brought up to date with an instance, not a snapshot");
	if (r == 0)
		r = inst_find(inst->core, request->copy_from, &source, err);
	if (r == 0 && source == inst)
		r = err_kind(err, ERR_INVALID, "an instance cannot be copied to itself");
	if (r == 0 && inst->state != INST_STOPPED)
		r = err_kind(err, ERR_INVALID,
			     "Instance \"%s\" is running: only a stopped copy can be "
			     "brought up to date; stop it first (its source may run)",
			     inst->record->name);
	return r;
}

int inst_refresh(struct inst *inst, struct inst_create_request *request, struct op **ret_op,
		 struct err *err)
{
	struct op *op;
	int r = check_request(inst, request, err);

	if (r < 0) {
		inst_create_request_free(request);
		return r;
	}
	inst_copy_init(request);
	op = op_new(inst->core, OP_TASK, "Refreshing instance", request, free_request, err);
	if (!op)
		return -EBUSY;
	r = inst_claim_unread(inst, op, err);
	if (r < 0) {
		op_unref(op);
		return r;
	}
	op_add_resource(op, "instances", inst->record->name);
	op_add_table(op, &refresh_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

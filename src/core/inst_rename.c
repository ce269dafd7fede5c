/*
 * core/inst_rename.c - give a stopped instance another name
 *
 *   claim-name -> check -> await-released -> journal -> move-volume -> move-logs -> record
 *
 * The row changes last, together with the end of the journal's: as long as there is a journal row
 * the old name counts, and core/reconcile.c moves volume and logs back to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/files.h"
#include "core/inst.h"
#include "core/inst_create.h"
#include "core/inst_events.h"
#include "core/inst_move.h"
#include "core/inst_ops.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/network.h"
#include "core/pool.h"
#include "core/privileged.h"
#include "db/instances.h"

static const char *new_name(const struct op *op)
{
	return op->args;
}

void inst_hold_name(struct op *op, const char *name)
{
	inst_add(op->core, inst_record_new(name))->op = op;
}

void inst_drop_name(struct op *op, const char *name)
{
	const struct inst *inst = strmap_get(&op->core->instances, name);

	if (inst && !inst->stored && inst->op == op)
		(void)strmap_unset(&op->core->instances, name);
}

static enum op_next step_claim_name(struct op *op)
{
	(void)op; /* done by inst_rename(): a placeholder has the new name */
	return OP_NEXT;
}

static enum op_next undo_claim_name(struct op *op)
{
	inst_drop_name(op, new_name(op));
	return OP_NEXT;
}

static enum op_next step_journal(struct op *op)
{
	_cleanup_(strmap_done) struct strmap extra = { 0 };

	strmap_set(&extra, "new_name", new_name(op));
	return op_result(
		journal_write_with(op, "instance-rename", op->inst->record, &extra, &op->err));
}

enum op_next inst_move_volume(struct op *op, const char *pool, const char *from, const char *to,
			      job_done_fn *done)
{
	struct job job = { .kind = JOB_VOLUME_RENAME };
	struct err err = { 0 };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, pool, &job, &err) == 0) {
		job.from_volume = xstrdup(from);
		job.volume = xstrdup(to);
		next = job_run(op, &job, -EBADF, done);
	} else if (!op->undoing) {
		op->err = err;
	}
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next step_move_volume(struct op *op)
{
	const struct inst_record *record = op->inst->record;

	return inst_move_volume(op, record->pool, record->name, new_name(op), NULL);
}

static enum op_next moved_back(struct op *op, const struct job_report *report)
{
	if (!report->done || report->code < 0) {
		op->undo_failed = true;
		log_error(((struct log_keys){ .inst = op->inst->record->name, .op = op->id }),
			  "undo: rename volume: %s", report->text ? report->text : "helper died");
	}
	return OP_NEXT;
}

static enum op_next undo_move_volume(struct op *op)
{
	const struct inst_record *record = op->inst->record;
	enum op_next next =
		inst_move_volume(op, record->pool, new_name(op), record->name, moved_back);

	if (next == OP_FAIL)
		op->undo_failed = true;
	return next == OP_FAIL ? OP_NEXT : next;
}

void inst_move_logs(struct core *core, const char *from, const char *to)
{
	_cleanup_(freep) char *old = xasprintf("%s/%s", core->dirs.log, from);
	_cleanup_(freep) char *new = xasprintf("%s/%s", core->dirs.log, to);

	/* -ENOENT: it was never started; -EEXIST: that was done already */
	if (renameat2(AT_FDCWD, old, AT_FDCWD, new, RENAME_NOREPLACE) < 0 && errno != ENOENT &&
	    errno != EEXIST)
		log_warn(((struct log_keys){ .inst = from }), "move logs to \"%s\": %s", new,
			 strerror(errno));
}

static enum op_next step_move_logs(struct op *op)
{
	inst_move_logs(op->core, op->inst->record->name, new_name(op));
	return OP_NEXT;
}

static enum op_next undo_move_logs(struct op *op)
{
	inst_move_logs(op->core, new_name(op), op->inst->record->name);
	return OP_NEXT;
}

static int store(struct op *op, const struct inst_record *record)
{
	struct db *db = op->core->db;
	int r = db_begin(db, &op->err);

	if (r < 0)
		return r;
	r = db_instance_update(db, record, &op->err);
	if (r == 0)
		r = journal_erase_in_tx(op, &op->err);
	return db_end(db, r, &op->err);
}

void inst_take_name(struct op *op, struct inst_record *record)
{
	struct core *core = op->core;
	struct inst *inst = op->inst;

	inst_drop_name(op, record->name);
	(void)strmap_take(&core->instances, inst->record->name);
	log_info(((struct log_keys){ .inst = record->name }), "instance \"%s\" is called this now",
		 inst->record->name);
	privileged_forget(core, inst->record->name);
	inst_record_free(inst->record);
	inst->record = record;
	strmap_set_take(&core->instances, record->name, inst);
	netman_rename_instance(core->net, record->id, record->name);
	privileged_warn(inst);
	events_publish_lifecycle(&core->events, "instance-renamed", "instances", record->name);
}

static enum op_next step_record(struct op *op)
{
	struct inst_record *record = inst_record_copy(op->inst->record);

	replace_str(&record->name, new_name(op));
	if (store(op, record) < 0) {
		inst_record_free(record);
		return OP_FAIL;
	}
	op_no_return(op);
	inst_take_name(op, record);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "claim-name", step_claim_name, undo_claim_name },
	{ "check", inst_step_check_stopped, NULL },
	{ "await-released", inst_step_await_released, NULL },
	{ "await-files", files_step_await_idle, NULL },
	{ "journal", step_journal, journal_undo },
	{ "move-volume", step_move_volume, undo_move_volume },
	{ "move-logs", step_move_logs, undo_move_logs },
	{ "record", step_record, NULL },
	{ 0 },
};
static const struct op_table rename_table = { "rename", steps };

static int check_request(const struct inst *inst, const char *name, struct err *err)
{
	int r = core_check_open(inst->core, err);

	if (r == 0 && inst->state != INST_STOPPED)
		r = err_kind(err, ERR_INVALID,
			     "Instance is running: only a stopped one can be renamed");
	return r < 0 ? r : inst_check_new_name(inst->core, name, err);
}

int inst_rename(struct inst *inst, const char *name, struct op **ret_op, struct err *err)
{
	struct op *op;
	int r = check_request(inst, name, err);

	if (r < 0)
		return r;
	op = op_new(inst->core, OP_TASK, "Renaming instance", xstrdup(name), free, err);
	if (!op)
		return -EBUSY;
	r = inst_claim_unread(inst, op, err);
	if (r < 0) {
		op_unref(op);
		return r;
	}
	inst_hold_name(op, name);
	op_add_resource(op, "instances", inst->record->name);
	op_add_table(op, &rename_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

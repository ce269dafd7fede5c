/* core/quota.c - see quota.h */
#include "core/quota.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/job.h"
#include "core/pool.h"
#include "core/warning.h"
#include "db/instances.h"
#include "spec/device.h"

#define NOTE	"volatile.root.size"
#define UNKNOWN "?"
#define WARNING "Root disk size not applied"

uint64_t quota_wanted(const struct expanded *expanded)
{
	const char *root = devices_root(&expanded->devices);
	uint64_t bytes = 0;

	if (root)
		(void)parse_bytes(device_get(devices_get(&expanded->devices, root), "size", "0"),
				  &bytes); /* was checked */
	return bytes;
}

void quota_note(struct inst_record *record, uint64_t bytes)
{
	if (bytes > 0)
		strmap_set_take(&record->config, NOTE, xasprintf("%" PRIu64, bytes));
	else
		(void)strmap_unset(&record->config, NOTE);
}

void quota_carry(struct inst_record *record, const struct inst_record *from)
{
	const char *note = strmap_get(&from->config, NOTE);

	if (note)
		strmap_set(&record->config, NOTE, note);
	else
		(void)strmap_unset(&record->config, NOTE);
}

static bool has(const struct inst *inst, uint64_t bytes)
{
	const char *note = strmap_get(&inst->record->config, NOTE);
	uint64_t noted = 0;

	return (!note || parse_u64(note, UINT64_MAX, &noted) == 0) && noted == bytes;
}

static int store_note(struct inst *inst, struct err *err)
{
	int r = db_begin(inst->core->db, err);

	if (r < 0)
		return r;
	r = db_instance_update(inst->core->db, inst->record, err);
	return db_end(inst->core->db, r, err);
}

static enum op_next run_job(struct op *op, const struct inst *inst, uint64_t bytes,
			    job_done_fn *done)
{
	struct job job = { .kind = JOB_VOLUME_LIMIT, .size_bytes = bytes };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, inst->record->pool, &job, &op->err) == 0) {
		job.volume = xstrdup(inst->record->name);
		next = job_run(op, &job, -EBADF, done);
	}
	wire_free(&job_schema, &job);
	return next;
}

/* From now on nobody knows, until somebody says so. */
static int forget_note(struct inst *inst, struct err *err)
{
	const char *note = strmap_get(&inst->record->config, NOTE);

	if (streq(note, UNKNOWN))
		return 0;
	strmap_set(&inst->record->config, NOTE, UNKNOWN);
	return store_note(inst, err);
}

/* What the helper says that it has set. */
static void take_note(struct inst *inst, const struct job_report *report)
{
	_cleanup_(freep) char *entity = xasprintf("instances/%s", inst->record->name);

	quota_note(inst->record, job_result_size(report));
	core_warn(inst->core, WARNING, entity, NULL);
}

/* ---- by the holder of the instance ---- */

static enum op_next changed(struct op *op, const struct job_report *report)
{
	if (report->done && report->code == 0)
		take_note(op->inst, report);
	return op->undoing ? OP_NEXT : op_result(op->err.code);
}

enum op_next quota_change(struct op *op, uint64_t bytes)
{
	enum op_next next;

	if (has(op->inst, bytes))
		return OP_NEXT;
	next = forget_note(op->inst, &op->err) < 0 ? OP_FAIL
						   : run_job(op, op->inst, bytes, changed);
	return next == OP_FAIL && op->undoing ? OP_NEXT : next;
}

static enum op_next settled(struct op *op, const struct job_report *report)
{
	if (op->err.code < 0)
		return OP_FAIL;
	take_note(op->inst, report);
	return op_result(store_note(op->inst, &op->err));
}

/* It was set, but is it still enforced? */
static int check_pool(struct inst *inst, struct err *err)
{
	struct pool_record *pool = NULL;
	int r = pool_find(inst->core, inst->record->pool, &pool, err);

	return r < 0 ? r : pool_check_quotas(pool, err);
}

enum op_next quota_step_settle(struct op *op)
{
	uint64_t bytes = quota_wanted(&op->inst->expanded);

	if (bytes > 0 && check_pool(op->inst, &op->err) < 0)
		return OP_FAIL;
	if (has(op->inst, bytes))
		return OP_NEXT;
	if (forget_note(op->inst, &op->err) < 0)
		return OP_FAIL;
	return run_job(op, op->inst, bytes, settled);
}

/* ---- by nobody ---- */

static struct inst *inst_of(const struct op *op)
{
	return strmap_get(&op->core->instances, op->args);
}

/* Whoever has it by now may have changed its volume: then the next start sets it again. */
static enum op_next settled_later(struct op *op, const struct job_report *report)
{
	_cleanup_(freep) char *entity = xasprintf("instances/%s", (const char *)op->args);
	struct inst *inst = inst_of(op);

	if (!inst || !inst->stored)
		return OP_NEXT;
	if (op->err.code < 0) {
		core_warn(op->core, WARNING, entity, op->err.msg);
		return OP_FAIL;
	}
	if (inst->op)
		return OP_NEXT;
	take_note(inst, report);
	return op_result(store_note(inst, &op->err));
}

static enum op_next step_settle_later(struct op *op)
{
	struct inst *inst = inst_of(op);

	if (!inst || inst->op || has(inst, quota_wanted(&inst->expanded)))
		return OP_NEXT;
	if (forget_note(inst, &op->err) < 0)
		return OP_FAIL;
	return run_job(op, inst, quota_wanted(&inst->expanded), settled_later);
}

static const struct op_step steps[] = {
	{ "settle", step_settle_later, NULL },
	{ 0 },
};
static const struct op_table settle_table = { "size", steps };

void quota_settle_later(struct inst *inst)
{
	struct op *op;

	if (!inst->stored || inst->op || has(inst, quota_wanted(&inst->expanded)))
		return;
	op = op_new(inst->core, OP_TASK, "Applying root disk size", xstrdup(inst->record->name),
		    free, NULL);
	if (!op)
		return; /* the next start does it */
	op_add_resource(op, "instances", inst->record->name);
	op_add_table(op, &settle_table);
	op_start(op);
}

void quota_settle_all(struct core *core)
{
	strmap_for_each(entry, &core->instances) quota_settle_later(entry->value);
}

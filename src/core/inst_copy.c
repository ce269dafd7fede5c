/*
 * core/inst_copy.c - copies of instances: what they take over, and their roots
 *
 *   refresh: check -> await-released -> hold-source -> journal -> STILL_STEPS (core/still.h) ->
 *            replace-volume -> release-source -> done
 *
 * The table "copy" is in core/inst_create.c. A snapshot is still anyway.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/image.h"
#include "core/inst.h"
#include "core/inst_events.h"
#include "core/inst_move.h"
#include "core/inst_ops.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/pool.h"
#include "core/quota.h"
#include "core/snapshot.h"
#include "core/still.h"

/* Gone while the op did not hold it: NULL. */
static struct inst *source_of(const struct op *op)
{
	const struct inst_create_request *request = op->args;

	return strmap_get(&op->core->instances, request->copy_from);
}

/* ---- what is taken over ---- */

static void fill_config(struct inst_record *record, const struct inst_record *from)
{
	/* addresses, ids and the like are one machine's */
	for (size_t i = record->config.len; i-- > 0;)
		if (str_after(record->config.items[i].key, "volatile."))
			(void)strmap_unset(&record->config, record->config.items[i].key);
	strmap_for_each(entry, &from->config)
	{
		if (strmap_has(&record->config, entry->key) ||
		    (str_after(entry->key, "volatile.") &&
		     !streq(entry->key, "volatile.base_image")))
			continue;
		strmap_set(&record->config, entry->key, entry->value);
	}
}

static void fill_devices(struct inst_record *record, struct inst_record *from)
{
	_cleanup_(inst_record_freep) struct inst_record *copy = inst_record_copy(from);

	for (size_t i = copy->devices.len; i-- > 0;) {
		_cleanup_(freep) char *name = xstrdup(copy->devices.items[i].key);

		if (strmap_has(&record->devices, name))
			continue;
		record->devices.free_value = copy->devices.free_value;
		strmap_set_take(&record->devices, name, strmap_take(&copy->devices, name));
	}
}

/* What is copied: the instance, or what it was. */
static int find_model(const struct inst_create_request *request, const struct inst *from,
		      struct inst_record **ret_model, struct err *err)
{
	struct snap_record *snapshot = NULL;
	int r = 0;

	if (request->copy_snapshot)
		r = snapshot_find(from, request->copy_snapshot, &snapshot, err);
	if (r == 0)
		*ret_model = snapshot ? snapshot->inst : from->record;
	return r;
}

int inst_copy_fill(struct core *core, struct inst_create_request *request, struct err *err)
{
	struct inst_record *record = request->record, *model = NULL;
	struct inst *from = NULL;
	int r = inst_find(core, request->copy_from, &from, err);

	if (r == 0)
		r = inst_check_free(from, err);
	if (r == 0)
		r = find_model(request, from, &model, err);
	if (r < 0)
		return r;
	fill_config(record, model);
	fill_devices(record, model);
	if (!record->profiles && !request->no_profiles) {
		record->profiles = strv_copy((const char *const *)model->profiles);
		request->no_profiles = !record->profiles;
	}
	if (str_empty(record->description))
		replace_str(&record->description, model->description);
	replace_str(&record->architecture, model->architecture);
	replace_str(&record->image_fingerprint, model->image_fingerprint);
	return 0;
}

/* ---- the source ---- */

/* To another pool: nothing is frozen for that long. */
static int check_transfer(struct op *op, const struct inst *from)
{
	const struct inst_create_request *request = op->args;

	if (op->inst->stored)
		return err_kind(&op->err, ERR_UNSUPPORTED,
				"a copy in another storage pool is not brought up to date: delete "
				"it and copy anew");
	if (!request->copy_snapshot && (from->state != INST_STOPPED || from->conn))
		return err_kind(&op->err, ERR_INVALID,
				"Instance \"%s\" is running: to another storage pool it is copied "
				"when it is stopped, or from a snapshot",
				from->record->name);
	return 0;
}

enum op_next inst_copy_hold(struct op *op)
{
	const struct inst_create_request *request = op->args;
	struct inst_record *model = NULL;
	struct inst *from = NULL;

	if (inst_find(op->core, request->copy_from, &from, &op->err) < 0 ||
	    inst_check_free(from, &op->err) < 0 || find_model(request, from, &model, &op->err) < 0)
		return OP_FAIL;
	if (!streq(from->record->pool, op->inst->record->pool)) {
		if (check_transfer(op, from) < 0)
			return OP_FAIL;
		replace_str(&op->inst->record->image_fingerprint,
			    inst_transfer_image(op->core, from->record->pool,
						op->inst->record->pool, model->image_fingerprint));
	} else if (!streq(model->image_fingerprint, op->inst->record->image_fingerprint)) {
		(void)err_kind(&op->err, ERR_CONFLICT,
			       "\"%s\" was made from another image than \"%s\"",
			       op->inst->record->name, from->record->name);
		return OP_FAIL;
	}
	from->op = op;
	from->stopped_meanwhile = false;
	return OP_NEXT;
}

enum op_next inst_copy_let_go(struct op *op)
{
	struct inst *from = source_of(op);

	if (from)
		inst_release(from, op);
	return OP_NEXT;
}

enum op_next inst_copy_journal(struct op *op)
{
	const struct inst_create_request *request = op->args;
	const char *kind = op->inst->stored ? "instance-refresh" : "instance-create";
	_cleanup_(strmap_done) struct strmap extra = { 0 };

	strmap_set(&extra, "stage", request->still.stage);
	return op_result(journal_write_with(op, kind, op->inst->record, &extra, &op->err));
}

static bool is_transfer(const struct op *op)
{
	const struct inst *from = source_of(op);

	return from && !streq(from->record->pool, op->inst->record->pool);
}

enum op_next inst_copy_have_image(struct op *op)
{
	const struct inst_record *record = op->inst->record;

	return is_transfer(op) && record->image_fingerprint
		       ? image_ensure_volume(op, record->pool, record->image_fingerprint)
		       : OP_NEXT;
}

static enum op_next transfer_volume(struct op *op)
{
	const struct inst_create_request *request = op->args;
	const struct inst_record *record = op->inst->record;
	struct job job = { .kind = JOB_INSTANCE_TRANSFER,
			   .keep_layer = record->image_fingerprint,
			   .forget = true };
	struct inst *from = source_of(op);
	struct snap_record *snapshot = NULL;
	enum op_next next = OP_FAIL;

	if (request->copy_snapshot &&
	    snapshot_find(from, request->copy_snapshot, &snapshot, &op->err) < 0)
		return OP_FAIL;
	if (inst_transfer_fill_job(op->core, from->record->pool, record->pool, &job, &op->err) ==
	    0) {
		quota_note(op->inst->record, 0); /* its first start limits it */
		job.from_volume = xstrdup(request->copy_from);
		job.snapshot = xstrdup(snapshot ? snapshot->volume : NULL);
		job.volume = xstrdup(record->name);
		job.image = xstrdup(snapshot ? snapshot->inst->image_fingerprint
					     : from->record->image_fingerprint);
		next = job_run(op, &job, -EBADF, NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

/* Of a transfer nothing: that is one job. */
static int fill_copy(struct op *op, struct job *job)
{
	const struct inst_create_request *request = op->args;
	const struct inst_record *record = op->inst->record;
	struct snap_record *snapshot = NULL;

	if (is_transfer(op))
		return 1;
	if (request->copy_snapshot) {
		int r = snapshot_find(source_of(op), request->copy_snapshot, &snapshot, &op->err);

		if (r < 0)
			return r;
		job->snapshot = xstrdup(snapshot->volume);
	}
	job->from_volume = xstrdup(request->copy_from);
	job->volume = xstrdup(record->name);
	job->image = xstrdup(record->image_fingerprint);
	job->refresh = op->inst->stored;
	job->forget = true;
	return 0;
}

void inst_copy_init(struct inst_create_request *request)
{
	(void)uuid_new(request->still.stage);
	request->still.source = request->copy_from;
	request->still.fill_job = fill_copy;
}

enum op_next inst_copy_volume(struct op *op)
{
	const struct inst_create_request *request = op->args;
	const struct inst_record *record = op->inst->record;
	struct job job = { .kind = JOB_SNAPSHOT_COMMIT };
	enum op_next next = OP_FAIL;

	if (is_transfer(op))
		return transfer_volume(op);
	if (pool_fill_job(op->core, record->pool, &job, &op->err) == 0) {
		job.stage = xstrdup(request->still.stage);
		job.volume = xstrdup(record->name);
		job.size_bytes = quota_wanted(&op->inst->expanded);
		next = job_run(op, &job, -EBADF, NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

/* ---- refresh ---- */

static enum op_next erase(struct op *op)
{
	journal_erase(op);
	return OP_NEXT;
}

static const struct op_step refresh_steps[] = {
	{ "check", inst_step_check_stopped, NULL },
	{ "await-released", inst_step_await_released, NULL },
	{ "hold-source", inst_copy_hold, inst_copy_let_go },
	{ "journal", inst_copy_journal, erase },
	STILL_STEPS,
	{ "replace-volume", inst_copy_volume, NULL },
	{ "release-source", inst_copy_let_go, NULL },
	{ "done", erase, NULL },
	{ 0 },
};
static const struct op_table refresh_table = { "refresh", refresh_steps };

static void free_request(void *data)
{
	inst_create_request_free(data);
}

int inst_refresh(struct inst *inst, const char *from, struct op **ret_op, struct err *err)
{
	struct inst_create_request *request;
	struct inst *source = NULL;
	struct op *op;
	int r = core_check_open(inst->core, err);

	if (r == 0)
		r = inst_find(inst->core, from, &source, err);
	if (r == 0 && source == inst)
		r = err_kind(err, ERR_INVALID, "an instance cannot be copied to itself");
	if (r == 0 && inst->state != INST_STOPPED)
		r = err_kind(err, ERR_INVALID,
			     "Instance \"%s\" is running: only a stopped copy can be "
			     "brought up to date",
			     inst->record->name);
	if (r < 0)
		return r;
	request = xcalloc(1, sizeof(*request));
	request->source = INST_SOURCE_COPY;
	request->copy_from = xstrdup(from);
	inst_copy_init(request);
	op = op_new(inst->core, OP_TASK, "Refreshing instance", request, free_request, err);
	if (!op)
		return -EBUSY;
	r = inst_claim(inst, op, err);
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

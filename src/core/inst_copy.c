/*
 * core/inst_copy.c - copies of instances: what they take over, and their roots
 *
 *   refresh: check -> await-released -> hold-source -> await-source -> journal ->
 *            STILL_STEPS (core/still.h) -> carry-over -> drop-detour ->
 *            replace-volume -> release-source -> done
 *
 * The table "copy" is in core/inst_create.c. A snapshot is still anyway.
 *
 * The snapshots of the source come along, each filled into the stage after the root has left it. One
 * that is brought up to date keeps those that it has.
 *
 * In another pool the stage is filled by the same passes, with what the source's pool has of it. What
 * cannot be copied so while it runs makes a detour: a stage in its own pool, carried over from there
 * when it runs on. Both stages have the same uuid.
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

/* Addresses, ids and the like are one machine's. */
static bool is_of_machine(const char *key)
{
	return str_after(key, "volatile.") && !streq(key, "volatile.base_image");
}

static void drop_volatile(struct inst_record *record)
{
	for (size_t i = record->config.len; i-- > 0;)
		if (is_of_machine(record->config.items[i].key))
			(void)strmap_unset(&record->config, record->config.items[i].key);
}

static void fill_config(struct inst_record *record, const struct inst_record *from)
{
	drop_volatile(record);
	(void)strmap_unset(&record->config, "volatile.base_image");
	strmap_for_each(entry, &from->config)
	{
		if (strmap_has(&record->config, entry->key) || is_of_machine(entry->key))
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

static const struct pool_record *pool_of(const struct op *op, const struct inst *inst)
{
	return strmap_get(&op->core->pools, inst->record->pool);
}

static bool is_transfer(const struct op *op, const struct inst *from)
{
	return from && !streq(from->record->pool, op->inst->record->pool);
}

static bool has_layer(const struct op *op, const struct inst *inst, const struct inst_record *model)
{
	const struct pool_record *pool = pool_of(op, inst);

	return model->image_fingerprint && pool && pool_capabilities(pool).layers;
}

/* In another pool too it is a layer, on the same image. */
static bool keeps_layer(const struct op *op, const struct inst *from,
			const struct inst_record *model)
{
	return has_layer(op, from, model) && has_layer(op, op->inst, op->inst->record) &&
	       streq(model->image_fingerprint, op->inst->record->image_fingerprint);
}

/* What the copy stands on: a new one's choice, but that of one that is brought up to date is made. */
static int choose_image(struct op *op, const struct inst *from, const struct inst_record *model)
{
	struct inst_record *record = op->inst->record;
	bool transfer = is_transfer(op, from);

	if (transfer && !op->inst->stored) {
		replace_str(&record->image_fingerprint,
			    inst_transfer_image(op->core, from->record->pool, record->pool,
						model->image_fingerprint));
		return 0;
	}
	if (transfer ? !has_layer(op, op->inst, record) || keeps_layer(op, from, model)
		     : streq(model->image_fingerprint, record->image_fingerprint))
		return 0;
	return err_kind(&op->err, ERR_CONFLICT,
			"\"%s\" stands on another image than \"%s\": delete it and copy anew",
			record->name, from->record->name);
}

/*
 * Its own pool, where one that runs is copied first: layers can be merged only when nobody writes to
 * them, and a snapshot that costs nothing makes for the shortest pause. NULL: not needed.
 */
static const char *choose_detour(const struct op *op, const struct inst *from,
				 const struct inst_record *model)
{
	const struct inst_create_request *request = op->args;
	bool runs = !request->copy_snapshot && from->state != INST_STOPPED;
	const struct pool_record *pool = pool_of(op, from);

	if (!runs || !pool || !is_transfer(op, from) || keeps_layer(op, from, model))
		return NULL;
	return has_layer(op, from, model) || pool_capabilities(pool).fast_snapshots ? pool->name
										    : NULL;
}

/* One of the copy's, of a volume that is to be made. */
static struct snap_record *take_snapshot(const struct op *op, const struct inst *from,
					 const struct snap_record *model)
{
	struct snap_record *snapshot = snap_record_new(model->name);
	bool transfer = is_transfer(op, from);
	char uuid[UUID_LEN];

	inst_record_free(snapshot->inst);
	snapshot->inst =
		transfer ? inst_record_in_pool(op->core, model->inst, op->inst->record->pool,
					       keeps_layer(op, from, model->inst)
						       ? model->inst->image_fingerprint
						       : NULL)
			 : inst_record_copy(model->inst);
	drop_volatile(snapshot->inst);
	snapshot->volume = xstrdup(uuid_new(uuid));
	snapshot->created_wall_ns = model->created_wall_ns;
	snapshot->expires_wall_ns = model->expires_wall_ns;
	snapshot->scheduled = model->scheduled;
	return snapshot;
}

static void take_snapshots(const struct op *op, const struct inst *from)
{
	const struct inst_create_request *request = op->args;

	if (op->inst->stored || request->copy_snapshot || request->instance_only)
		return;
	vec_for_each(snapshot, &from->snapshots)
		*vec_push(&op->inst->snapshots) = take_snapshot(op, from, *snapshot);
}

enum op_next inst_copy_hold(struct op *op)
{
	struct inst_create_request *request = op->args;
	struct inst_record *model = NULL;
	struct inst *from = NULL;

	if (inst_find(op->core, request->copy_from, &from, &op->err) < 0 ||
	    inst_check_free(from, &op->err) < 0 ||
	    find_model(request, from, &model, &op->err) < 0 || choose_image(op, from, model) < 0)
		return OP_FAIL;
	replace_str(&request->detour, choose_detour(op, from, model));
	request->still.pool = request->detour;
	take_snapshots(op, from);
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

enum op_next inst_copy_await_source(struct op *op)
{
	const struct inst_create_request *request = op->args;
	struct inst *from = source_of(op);

	return from && from->state == INST_STOPPED && !request->copy_snapshot &&
			       is_transfer(op, from)
		       ? inst_await_of(op, from, inst_is_released)
		       : OP_NEXT;
}

enum op_next inst_copy_have_image(struct op *op)
{
	const struct inst_record *record = op->inst->record;

	return is_transfer(op, source_of(op)) && record->image_fingerprint
		       ? image_ensure_volume(op, record->pool, record->image_fingerprint)
		       : OP_NEXT;
}

/* ---- the copy ---- */

enum op_next inst_copy_journal(struct op *op)
{
	const struct inst_create_request *request = op->args;
	const char *kind = op->inst->stored ? "instance-refresh" : "instance-create";
	_cleanup_(strmap_done) struct strmap extra = { 0 };

	if (!op->inst->stored)
		snapshots_fill_journal(op->inst, &extra);
	strmap_set(&extra, "stage", request->still.stage);
	if (request->detour)
		strmap_set(&extra, "detour", request->detour);
	return op_result(journal_write_with(op, kind, op->inst->record, &extra, &op->err));
}

/* What both jobs say that fill the stage which becomes the volume. */
static void fill_last(const struct op *op, const struct inst *from, const struct inst_record *model,
		      struct job *job)
{
	const struct inst_record *record = op->inst->record;

	job->volume = xstrdup(record->name);
	job->image = xstrdup(model->image_fingerprint);
	job->keep_layer = keeps_layer(op, from, model);
	job->refresh = op->inst->stored;
	job->forget = true;
}

/* Of the source, or of a snapshot of it, in its pool. */
static int fill_copy(struct op *op, struct job *job)
{
	const struct inst_create_request *request = op->args;
	struct snap_record *snapshot = NULL;
	const struct inst *from = source_of(op);
	int r = 0;

	if (request->copy_snapshot)
		r = snapshot_find(from, request->copy_snapshot, &snapshot, &op->err);
	if (r == 0 && !request->detour && is_transfer(op, from))
		r = pool_fill_from(op->core, from->record->pool, job, &op->err);
	if (r < 0)
		return r;
	job->from_volume = xstrdup(request->copy_from);
	job->snapshot = xstrdup(snapshot ? snapshot->volume : NULL);
	if (!request->detour)
		fill_last(op, from, snapshot ? snapshot->inst : from->record, job);
	return 0;
}

void inst_copy_init(struct inst_create_request *request)
{
	(void)uuid_new(request->still.stage);
	request->still.source = request->copy_from;
	request->still.fill_job = fill_copy;
}

enum op_next inst_copy_carry_over(struct op *op)
{
	const struct inst_create_request *request = op->args;
	const struct inst *from = source_of(op);
	struct job job = { .kind = JOB_SNAPSHOT_COPY };
	enum op_next next = OP_FAIL;

	if (!request->detour)
		return OP_NEXT;
	if (pool_fill_job(op->core, op->inst->record->pool, &job, &op->err) == 0 &&
	    pool_fill_from(op->core, request->detour, &job, &op->err) == 0) {
		job.stage = xstrdup(request->still.stage);
		fill_last(op, from, from->record, &job);
		next = job_run(op, &job, -EBADF, NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

enum op_next inst_copy_undo_carry(struct op *op)
{
	const struct inst_create_request *request = op->args;

	return request->detour ? still_drop(op, op->inst->record->pool) : OP_NEXT;
}

enum op_next inst_copy_drop_detour(struct op *op)
{
	const struct inst_create_request *request = op->args;

	return request->detour ? still_drop(op, request->detour) : OP_NEXT;
}

enum op_next inst_copy_volume(struct op *op)
{
	const struct inst_create_request *request = op->args;
	const struct inst_record *record = op->inst->record;
	struct job job = { .kind = JOB_SNAPSHOT_COMMIT };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, record->pool, &job, &op->err) == 0) {
		job.stage = xstrdup(request->still.stage);
		job.volume = xstrdup(record->name);
		job.size_bytes = quota_wanted(&op->inst->expanded);
		next = job_run(op, &job, -EBADF, NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

/* The copy of one of the source's snapshots, into the stage. */
static int fill_snapshot(struct op *op, const struct snap_record *snapshot, struct job *job)
{
	const struct inst *from = source_of(op);
	struct snap_record *model = NULL;
	int r = snapshot_find(from, snapshot->name, &model, &op->err);

	if (r == 0 && is_transfer(op, from))
		r = pool_fill_from(op->core, from->record->pool, job, &op->err);
	if (r < 0)
		return r;
	job->kind = JOB_SNAPSHOT_COPY;
	job->snapshot = xstrdup(model->volume);
	fill_last(op, from, model->inst, job);
	return 0;
}

static enum op_next snapshot_passed(struct op *op, const struct job_report *report)
{
	struct inst_create_request *request = op->args;
	struct snap_record *snapshot = op->inst->snapshots.items[request->n_passed / 2];

	if (op->err.code < 0)
		return OP_FAIL;
	snapshot->size_bytes = job_result_size(report); /* the commit tells */
	request->n_passed++;
	op->again = true;
	return OP_NEXT;
}

/* Two jobs for each: it is copied into the stage, and the stage becomes its volume. */
enum op_next inst_copy_snapshots(struct op *op)
{
	const struct inst_create_request *request = op->args;
	size_t i = request->n_passed / 2;
	struct job job = { .kind = JOB_SNAPSHOT_COMMIT };
	const struct snap_record *snapshot;
	enum op_next next = OP_FAIL;

	if (i == op->inst->snapshots.len)
		return OP_NEXT;
	snapshot = op->inst->snapshots.items[i];
	if (pool_fill_job(op->core, op->inst->record->pool, &job, &op->err) == 0 &&
	    (request->n_passed % 2 != 0 || fill_snapshot(op, snapshot, &job) == 0)) {
		job.stage = xstrdup(request->still.stage);
		if (!job.snapshot)
			job.snapshot = xstrdup(snapshot->volume);
		next = job_run(op, &job, -EBADF, snapshot_passed);
	}
	wire_free(&job_schema, &job);
	return next;
}

/* Those that are made go with the root. */
enum op_next inst_copy_undo_snapshots(struct op *op)
{
	return still_drop(op, op->inst->record->pool);
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
	{ "await-source", inst_copy_await_source, NULL },
	{ "journal", inst_copy_journal, erase },
	STILL_STEPS,
	{ "carry-over", inst_copy_carry_over, inst_copy_undo_carry },
	{ "drop-detour", inst_copy_drop_detour, NULL },
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
			     "brought up to date; stop it first (its source may run)",
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

/*
 * core/inst_copy.c - copies of instances: what they take over, their roots and snapshots
 *
 * The table "copy" is in core/inst_create.c, "refresh" in core/inst_refresh.c: one that is there is
 * brought up to date. A snapshot is still anyway.
 *
 * The snapshots of the source come along, each filled into the stage while the root is not in it: after
 * it for a new copy, before it for one that is there. What that has already stays as it is.
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

/* Those that are to be made: a new copy's own, since its row comes with theirs. */
static struct snap_list *coming(const struct op *op)
{
	struct inst_create_request *request = op->args;

	return op->inst->stored ? &request->coming : &op->inst->snapshots;
}

static void choose_snapshots(const struct op *op, const struct inst *from)
{
	struct inst_create_request *request = op->args;
	struct snap_changes changes;

	if (request->copy_snapshot || request->instance_only)
		return;
	snap_changes_find(&from->snapshots, &op->inst->snapshots, request->exclude_older, &changes);
	vec_for_each(snapshot, &changes.come)
		snap_list_add(coming(op), take_snapshot(op, from, *snapshot));
	vec_for_each(snapshot, &changes.go)
		strv_push(&request->going, (*snapshot)->name);
	snap_changes_done(&changes);
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
	choose_snapshots(op, from);
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
	_cleanup_(strv_freep) char **volumes = snap_list_volumes(coming(op));
	_cleanup_(strmap_done) struct strmap extra = { 0 };

	if (!op->inst->stored)
		snapshots_fill_journal(op->inst, &extra);
	else if (volumes)
		strmap_set_take(&extra, "snapshots", strv_join((const char *const *)volumes, ","));
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

/* One that was there cannot become again what it was. */
static enum op_next volume_made(struct op *op, const struct job_report *report)
{
	(void)report;
	if (op->err.code == 0 && op->inst->stored)
		op_no_return(op);
	return op_result(op->err.code);
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
		next = job_run(op, &job, -EBADF, volume_made);
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
	job->refresh = false; /* what it had in common with the copy would change with that */
	return 0;
}

static enum op_next snapshot_passed(struct op *op, const struct job_report *report)
{
	struct inst_create_request *request = op->args;
	struct snap_record *snapshot = coming(op)->items[request->n_passed / 2];

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

	if (i == coming(op)->len)
		return OP_NEXT;
	snapshot = coming(op)->items[i];
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

/*
 * core/inst_rebuild.c - a new root for a stopped instance, everything else as it was
 *
 *   check -> await-released -> have-image -> unpack-image -> journal -> make-volume -> record ->
 *   replace-volume -> clean-up
 *
 * The new root is made beside the old one. "record" is the point of no return: the row names the
 * new image and a journal row has core/reconcile.c put the new root into place.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/files.h"
#include "core/image.h"
#include "core/inst.h"
#include "core/inst_events.h"
#include "core/inst_move.h"
#include "core/inst_ops.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/pool.h"
#include "core/quota.h"
#include "core/template.h"
#include "db/instances.h"

struct rebuild {
	char *image;		    /* NULL: an empty root */
	struct inst_record *record; /* what it will be */
	char *old_image;
};

static void rebuild_free(void *data)
{
	struct rebuild *rebuild = data;

	free(rebuild->image);
	free(rebuild->old_image);
	inst_record_free(rebuild->record);
	free(rebuild);
}

static enum op_next step_have_image(struct op *op)
{
	const struct rebuild *rebuild = op->args;

	return rebuild->image ? image_ensure(op, rebuild->image) : OP_NEXT;
}

/* The old image's words go with it. */
static void forget_image(struct inst_record *record)
{
	for (size_t i = record->config.len; i-- > 0;)
		if (str_after(record->config.items[i].key, "image."))
			(void)strmap_unset(&record->config, record->config.items[i].key);
	(void)strmap_unset(&record->config, "volatile.base_image");
	replace_str(&record->image_fingerprint, NULL);
}

static enum op_next step_unpack_image(struct op *op)
{
	struct rebuild *rebuild = op->args;

	/* a step that waited for a flight runs once more */
	if (!rebuild->record)
		rebuild->record = inst_record_copy(op->inst->record);
	forget_image(rebuild->record);
	if (!rebuild->image)
		return OP_NEXT;
	if (inst_fill_from_image(op, rebuild->image, rebuild->record) < 0)
		return OP_FAIL;
	return image_ensure_volume(op, rebuild->record->pool, rebuild->record->image_fingerprint);
}

char *inst_rebuild_volume(const char *name)
{
	return xasprintf("%s.rebuild", name);
}

/* As long as the instance's own row is the old one, the new volume is nobody's. */
static enum op_next step_journal(struct op *op)
{
	const struct rebuild *rebuild = op->args;
	_cleanup_(inst_record_freep) struct inst_record *volume = inst_record_copy(rebuild->record);

	free(volume->name);
	volume->name = inst_rebuild_volume(op->inst->record->name);
	return op_result(journal_write(op, "instance-create", volume, &op->err));
}

static enum op_next volume_job(struct op *op, enum job_kind kind, job_done_fn *done)
{
	const struct rebuild *rebuild = op->args;
	struct job job = { .kind = kind };
	struct err err = { 0 };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, rebuild->record->pool, &job, &err) == 0) {
		job.volume = inst_rebuild_volume(op->inst->record->name);
		job.image = xstrdup(rebuild->record->image_fingerprint);
		job.size_bytes = quota_wanted(&op->inst->expanded);
		quota_note(rebuild->record, job.size_bytes);
		next = job_run(op, &job, -EBADF, done);
	} else if (!op->undoing) {
		op->err = err;
	}
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next step_make_volume(struct op *op)
{
	return volume_job(op, JOB_VOLUME_CREATE, NULL);
}

static enum op_next undo_make_volume(struct op *op)
{
	enum op_next next = volume_job(op, JOB_VOLUME_DELETE, job_undone);

	if (next == OP_FAIL)
		op->undo_failed = true;
	return next == OP_FAIL ? OP_NEXT : next;
}

static int store(struct op *op, const struct inst_record *record)
{
	struct db *db = op->core->db;
	int r = db_begin(db, &op->err);

	if (r < 0)
		return r;
	r = db_instance_update(db, record, &op->err);
	if (r == 0)
		r = journal_write(op, "instance-rebuild", record, &op->err);
	return db_end(db, r, &op->err);
}

static enum op_next step_record(struct op *op)
{
	struct rebuild *rebuild = op->args;
	struct inst *inst = op->inst;

	if (store(op, rebuild->record) < 0)
		return OP_FAIL;
	op_no_return(op);
	rebuild->old_image = xstrdup(inst->record->image_fingerprint);
	inst_record_free(inst->record);
	inst->record = TAKE_PTR(rebuild->record);
	inst_expand(inst);
	return OP_NEXT;
}

enum op_next inst_replace_volume(struct op *op, const char *pool, const char *name)
{
	struct job job = { .kind = JOB_VOLUME_REPLACE };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, pool, &job, &op->err) == 0) {
		job.from_volume = inst_rebuild_volume(name);
		job.volume = xstrdup(name);
		next = job_run(op, &job, -EBADF, NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next step_replace_volume(struct op *op)
{
	return inst_replace_volume(op, op->inst->record->pool, op->inst->record->name);
}

static enum op_next step_clean_up(struct op *op)
{
	const struct rebuild *rebuild = op->args;
	const struct inst_record *record = op->inst->record;

	journal_erase(op);
	log_info(((struct log_keys){ .inst = record->name }), "instance rebuilt");
	events_publish_lifecycle(&op->core->events, "instance-updated", "instances", record->name);
	image_volume_unused(op->core, record->pool, rebuild->old_image);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "check", inst_step_check_stopped, NULL },
	{ "await-released", inst_step_await_released, NULL },
	{ "await-files", files_step_await_idle, NULL },
	{ "have-image", step_have_image, NULL },
	{ "unpack-image", step_unpack_image, NULL },
	{ "journal", step_journal, journal_undo },
	{ "make-volume", step_make_volume, undo_make_volume },
	{ "record", step_record, NULL },
	{ "replace-volume", step_replace_volume, NULL },
	{ "clean-up", step_clean_up, NULL },
	{ 0 },
};
static const struct op_table rebuild_table = { "rebuild", steps };

static int check_request(const struct inst *inst, const char *image, struct err *err)
{
	struct image_record *found;
	int r = core_check_open(inst->core, err);

	if (r == 0 && inst->state != INST_STOPPED)
		r = err_kind(
			err, ERR_INVALID,
			"Instance is running: only a stopped one can be rebuilt; stop it first");
	if (r < 0 || !image)
		return r;
	r = image_resolve(inst->core, image, &found, err);
	if (r < 0 && template_exists(inst->core, image)) {
		*err = (struct err){ 0 };
		r = 0;
	}
	return r;
}

int inst_rebuild(struct inst *inst, const char *image, struct op **ret_op, struct err *err)
{
	struct rebuild *rebuild;
	struct op *op;
	int r = check_request(inst, image, err);

	if (r < 0)
		return r;
	rebuild = xcalloc(1, sizeof(*rebuild));
	rebuild->image = xstrdup(image);
	op = op_new(inst->core, OP_TASK, "Rebuilding instance", rebuild, rebuild_free, err);
	if (!op)
		return -EBUSY;
	r = inst_claim_unread(inst, op, err);
	if (r < 0) {
		op_unref(op);
		return r;
	}
	op_add_resource(op, "instances", inst->record->name);
	op_add_table(op, &rebuild_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

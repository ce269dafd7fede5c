/*
 * core/inst_pool_move.c - a stopped instance and its snapshots to another storage pool, perhaps under
 * another name
 *
 *   claim-name -> check -> await-released -> await-files -> have-image -> journal -> copy -> record
 *   -> move-logs -> delete-old -> erase
 *
 * As long as there is a journal row ("instance-move", of the instance as it is called then), what it tells
 * is nobody's unless an instance in that pool has it: before "record" what is in the new pool, after it
 * what is in the old one. Volumes of snapshots keep their names.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/core.h"
#include "core/files.h"
#include "core/image.h"
#include "core/inst.h"
#include "core/inst_create.h"
#include "core/inst_events.h"
#include "core/inst_move.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/pool.h"
#include "core/quota.h"
#include "core/snapshot.h"
#include "db/instances.h"
#include "db/journal.h"
#include "db/snapshots.h"
#include "spec/device.h"

#define KIND "instance-move"

struct move_args {
	char *pool, *old_pool;
	char *name, *old_name; /* the same, unless it is renamed */
	char stage[UUID_LEN];  /* of its root */
	char *image;	       /* what all of it stands on, there as well; NULL: nothing */
	char **images;	       /* what it stood on */
};

static void free_args(void *data)
{
	struct move_args *args = data;

	free(args->pool);
	free(args->old_pool);
	free(args->name);
	free(args->old_name);
	free(args->image);
	strv_free(args->images);
	free(args);
}

const char *inst_transfer_image(struct core *core, const char *from, const char *to,
				const char *image)
{
	const struct pool_record *a = strmap_get(&core->pools, from);
	const struct pool_record *b = strmap_get(&core->pools, to);

	return image && a && b && pool_capabilities(a).layers && pool_capabilities(b).layers &&
			       strmap_has(&core->images, image)
		       ? image
		       : NULL;
}

/* ---- steps ---- */

static bool is_renamed(const struct move_args *args)
{
	return !streq(args->name, args->old_name);
}

static enum op_next step_claim_name(struct op *op)
{
	(void)op; /* done by inst_move_to_pool() */
	return OP_NEXT;
}

static enum op_next undo_claim_name(struct op *op)
{
	const struct move_args *args = op->args;

	if (is_renamed(args))
		inst_drop_name(op, args->name);
	return OP_NEXT;
}

static enum op_next step_have_image(struct op *op)
{
	const struct move_args *args = op->args;

	return args->image ? image_ensure_volume(op, args->pool, args->image) : OP_NEXT;
}

static enum op_next undo_have_image(struct op *op)
{
	const struct move_args *args = op->args;

	image_volume_unused(op->core, args->pool, args->image);
	return OP_NEXT;
}

/* What @pool has of it as @volume is nobody's; @name: what it is called meanwhile. */
static int write_journal(struct op *op, const char *name, const char *pool, const char *volume,
			 struct err *err)
{
	struct strmap data = { 0 };
	int r;

	snapshots_fill_journal(op->inst, &data);
	strmap_set(&data, "pool", pool);
	strmap_set(&data, "volume", volume);
	r = journal_write_data(op, KIND, name, &data, err);
	strmap_done(&data);
	return r;
}

static enum op_next step_journal(struct op *op)
{
	const struct move_args *args = op->args;

	return op_result(write_journal(op, args->old_name, args->pool, args->name, &op->err));
}

static enum op_next step_copy(struct op *op)
{
	const struct move_args *args = op->args;
	const struct inst *inst = op->inst;
	struct job job = { .kind = JOB_INSTANCE_TRANSFER, .keep_layer = args->image };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, args->pool, &job, &op->err) == 0 &&
	    pool_fill_from(op->core, args->old_pool, &job, &op->err) == 0) {
		job.volume = xstrdup(args->name);
		job.from_volume = xstrdup(args->old_name);
		job.stage = xstrdup(args->stage);
		job.image = xstrdup(inst->record->image_fingerprint);
		vec_for_each(snapshot, &inst->snapshots)
			strmap_set(&job.properties, (*snapshot)->volume,
				   (*snapshot)->inst->image_fingerprint ?: "");
		next = job_run(op, &job, -EBADF, NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next delete_in(struct op *op, const char *pool, const char *volume,
			      job_done_fn *done, struct err *err)
{
	const struct move_args *args = op->args;
	struct job job = { .kind = JOB_VOLUME_DELETE };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, pool, &job, err) == 0) {
		job.volume = xstrdup(volume);
		job.stage = xstrdup(args->stage);
		job.snapshots = snapshots_volumes(op->inst);
		next = job_run(op, &job, -EBADF, done);
	}
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next copy_is_gone(struct op *op, const struct job_report *report)
{
	(void)job_undone(op, report);
	return journal_undo(op);
}

/* Whatever "copy" came to: a worker that died may have made all of it. */
static enum op_next undo_journal(struct op *op)
{
	const struct move_args *args = op->args;
	struct err err = { 0 };
	enum op_next next = delete_in(op, args->pool, args->name, copy_is_gone, &err);

	return next == OP_FAIL ? OP_NEXT : next; /* the row stays */
}

/* Its root disk says the pool, whatever its profiles say. */
struct inst_record *inst_record_in_pool(struct core *core, const struct inst_record *record,
					const char *pool, const char *image)
{
	struct inst_record *moved = inst_record_copy(record);
	struct expanded expanded = { 0 };
	const char *root;

	inst_expand_with(core, record, NULL, &expanded);
	root = devices_root(&expanded.devices);
	if (root) {
		struct strmap *device = devices_add(&moved->devices, root);

		strmap_merge(device, devices_get(&expanded.devices, root));
		strmap_set(device, "pool", pool);
	}
	expanded_done(&expanded);
	replace_str(&moved->image_fingerprint, image);
	return moved;
}

static struct inst_record *moved_record(struct core *core, const struct inst_record *record,
					const struct move_args *args)
{
	return inst_record_in_pool(core, record, args->pool, args->image);
}

/* All are written anew in their order: the list is read by it. */
static int store_snapshot(struct db *db, struct snap_record *snapshot, struct err *err)
{
	int r = db_snapshot_delete(db, snapshot->id, err);

	return r < 0 ? r : db_snapshot_insert(db, snapshot, err);
}

static int store(struct op *op, const struct inst_record *moved, struct err *err)
{
	const struct move_args *args = op->args;
	struct db *db = op->core->db;
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	r = db_instance_update(db, moved, err);
	for (size_t i = 0; i < op->inst->snapshots.len && r == 0; i++)
		r = store_snapshot(db, op->inst->snapshots.items[i], err);
	if (r == 0)
		r = write_journal(op, args->name, args->old_pool, args->old_name, err);
	return db_end(db, r, err);
}

/* What the snapshots are as long as the commit may fail. */
struct before {
	int64_t id;
	struct inst_record *inst;
};

static struct before *swap_snapshots(struct op *op)
{
	struct before *list = xcalloc(op->inst->snapshots.len + 1, sizeof(*list)), *next = list;

	vec_for_each(snapshot, &op->inst->snapshots) {
		*next++ = (struct before){ (*snapshot)->id, (*snapshot)->inst };
		(*snapshot)->inst = moved_record(op->core, (*snapshot)->inst, op->args);
	}
	return list;
}

static void settle_snapshots(struct op *op, struct before *list, bool back)
{
	struct before *next = list;

	vec_for_each(snapshot, &op->inst->snapshots) {
		if (back) {
			inst_record_free((*snapshot)->inst);
			(*snapshot)->inst = next->inst;
			(*snapshot)->id = next->id;
		} else {
			inst_record_free(next->inst);
		}
		next++;
	}
	free(list);
}

static enum op_next step_record(struct op *op)
{
	const struct move_args *args = op->args;
	struct inst *inst = op->inst;
	struct inst_record *moved = moved_record(op->core, inst->record, args);
	struct before *before = swap_snapshots(op);
	int r;

	replace_str(&moved->pool, args->pool);
	replace_str(&moved->name, args->name);
	quota_note(moved, 0); /* the new volume has no limit yet: the next start sees to it */
	r = store(op, moved, &op->err);
	settle_snapshots(op, before, r < 0);
	if (r < 0) {
		inst_record_free(moved);
		return OP_FAIL;
	}
	op_no_return(op);
	if (is_renamed(args)) {
		inst_take_name(op, moved);
	} else {
		inst_record_free(inst->record);
		inst->record = moved;
	}
	inst_expand(inst);
	log_info(((struct log_keys){ .inst = moved->name }), "instance is in pool \"%s\" now",
		 args->pool);
	events_publish_lifecycle(&op->core->events, "instance-updated", "instances", moved->name);
	return OP_NEXT;
}

static enum op_next step_move_logs(struct op *op)
{
	const struct move_args *args = op->args;

	if (is_renamed(args))
		inst_move_logs(op->core, args->old_name, args->name);
	return OP_NEXT;
}

static enum op_next step_delete_old(struct op *op)
{
	const struct move_args *args = op->args;

	return delete_in(op, args->old_pool, args->old_name, NULL, &op->err);
}

static enum op_next step_erase(struct op *op)
{
	const struct move_args *args = op->args;

	journal_erase(op);
	for (char **image = args->images; image && *image; image++)
		image_volume_unused(op->core, args->old_pool, *image);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "claim-name", step_claim_name, undo_claim_name },
	{ "check", inst_step_check_stopped, NULL },
	{ "await-released", inst_step_await_released, NULL },
	{ "await-files", files_step_await_idle, NULL },
	{ "have-image", step_have_image, undo_have_image },
	{ "journal", step_journal, undo_journal },
	{ "copy", step_copy, NULL },
	{ "record", step_record, NULL },
	{ "move-logs", step_move_logs, NULL },
	{ "delete-old", step_delete_old, NULL },
	{ "erase", step_erase, NULL },
	{ 0 },
};
static const struct op_table move_table = { "move", steps };

/* ---- the request ---- */

static int check_target(struct inst *inst, const struct move_args *args, struct err *err)
{
	struct inst_record *moved = moved_record(inst->core, inst->record, args);
	const char *root = devices_root(&moved->devices);
	struct job job = { 0 };
	int r = pool_fill_job(inst->core, args->pool, &job, err); /* it is there */

	wire_free(&job_schema, &job);
	if (r == 0 && root)
		r = pool_check_root(inst->core, devices_get(&moved->devices, root), err);
	inst_record_free(moved);
	return r;
}

static int check_request(struct inst *inst, const struct move_args *args, struct err *err)
{
	int r = core_check_open(inst->core, err);

	if (r == 0 && inst->state != INST_STOPPED)
		r = err_kind(err, ERR_INVALID,
			     "Instance is running: stop it to move it to another storage pool, or "
			     "copy it there while it runs");
	if (r == 0)
		r = inst_check_unread(inst, err);
	if (r == 0 && is_renamed(args))
		r = inst_check_new_name(inst->core, args->name, err);
	if (r == 0)
		r = inst_check_no_root(inst->core, args->pool, args->name, err);
	return r < 0 ? r : check_target(inst, args, err);
}

int inst_move_to_pool(struct inst *inst, const char *pool, const char *name, struct op **ret_op,
		      struct err *err)
{
	struct move_args *args = xcalloc(1, sizeof(*args));
	struct op *op;
	int r;

	args->pool = xstrdup(pool);
	args->old_pool = xstrdup(inst->record->pool);
	args->name = xstrdup(name);
	args->old_name = xstrdup(inst->record->name);
	(void)uuid_new(args->stage);
	args->images = snapshots_images(inst);
	/* a layer has one image below it; with more than one all of it becomes whole */
	if (strv_len(args->images) == 1)
		args->image = xstrdup(
			inst_transfer_image(inst->core, inst->record->pool, pool, args->images[0]));
	r = check_request(inst, args, err);
	if (r < 0) {
		free_args(args);
		return r;
	}
	op = op_new(inst->core, OP_TASK, "Moving instance", args, free_args, err);
	if (!op)
		return -EBUSY;
	(void)inst_claim(inst, op, NULL); /* it is free */
	if (is_renamed(args))
		inst_hold_name(op, name);
	op_add_resource(op, "instances", inst->record->name);
	op_add_table(op, &move_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

/* ---- after a crash ---- */

/* As it was in rows of sysctrds that could not rename at the same time. */
static const char *lost_volume(const struct journal_record *row)
{
	return strmap_get(&row->data, "volume") ?: row->object;
}

/* Whether an instance in that pool has the snapshot @uuid: it was moved back since. */
static bool pool_has_snapshot(const struct core *core, const char *pool, const char *uuid)
{
	strmap_for_each(entry, &core->instances)
	{
		const struct inst *inst = entry->value;

		vec_for_each(snapshot, &inst->snapshots)
			if (streq((*snapshot)->volume, uuid))
				return streq(inst->record->pool, pool);
	}
	return false;
}

static char **lost_snapshots(const struct core *core, const struct journal_record *row)
{
	const char *pool = strmap_get(&row->data, "pool");
	_cleanup_(strv_freep) char **all =
		strv_split(strmap_get(&row->data, "snapshots") ?: "", ",");
	char **lost = NULL;

	for (char **uuid = all; uuid && *uuid; uuid++)
		if (!str_empty(*uuid) && !pool_has_snapshot(core, pool, *uuid))
			strv_push(&lost, *uuid);
	return lost;
}

static enum op_next step_delete_lost(struct op *op)
{
	const struct journal_record *row = op->args;
	const char *pool = strmap_get(&row->data, "pool"), *volume = lost_volume(row);
	const struct inst *owner = strmap_get(&op->core->instances, volume);
	bool owned = owner && streq(owner->record->pool, pool);
	struct job job = { .kind = owned ? JOB_SNAPSHOT_DELETE : JOB_VOLUME_DELETE };
	enum op_next next = OP_FAIL;

	if (!owner) /* renamed by a commit that sysctrd did not survive for long */
		inst_move_logs(op->core, volume, row->object);
	if (pool_fill_job(op->core, pool, &job, &op->err) == 0) {
		job.volume = xstrdup(owned ? NULL : volume);
		job.snapshots = lost_snapshots(op->core, row);
		next = job_run(op, &job, -EBADF, NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next step_forget_row(struct op *op)
{
	const struct journal_record *row = op->args;
	_cleanup_(strv_freep) char **images =
		strv_split(strmap_get(&row->data, "images") ?: "", ",");

	if (db_journal_delete(op->core->db, row->id, &op->err) < 0)
		return OP_FAIL;
	for (char **image = images; image && *image; image++)
		image_volume_unused(op->core, strmap_get(&row->data, "pool"), *image);
	log_info(((struct log_keys){ .inst = row->object }),
		 KIND " was interrupted and is cleaned up");
	return OP_NEXT;
}

static const struct op_step clean_steps[] = {
	{ "delete", step_delete_lost, NULL },
	{ "erase", step_forget_row, NULL },
	{ 0 },
};
static const struct op_table clean_table = { "clean-up-move", clean_steps };

static void free_row(void *data)
{
	journal_record_free(data);
}

void inst_move_clean_up(struct core *core, struct journal_record *row)
{
	struct inst *inst = strmap_get(&core->instances, row->object);
	struct op *op = op_new(core, OP_TASK, "Cleaning up", row, free_row, NULL);

	if (!op)
		return; /* the row stays for the next start */
	if (inst)
		(void)inst_claim(inst, op, NULL); /* nobody else has it: the first op there is */
	op_add_resource(op, "instances", row->object);
	op_add_table(op, &clean_table);
	op_start(op);
}

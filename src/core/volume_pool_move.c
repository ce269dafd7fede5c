/*
 * core/volume_pool_move.c - a custom volume and its snapshots to another storage pool
 *
 *   hold -> journal -> copy -> record -> delete-old -> erase
 *
 * It is copied under uuids of its own. Then its row and those of its snapshots say where the copies are, in
 * one transaction: what hangs on the rows (backups, when the next snapshot is due) comes along by itself.
 * What is nobody's has a row of the journal: before "record" the copy ("volume-create"), after it what
 * was copied ("volume-delete").
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/pool.h"
#include "core/volume.h"
#include "core/volume_making.h"
#include "db/volumes.h"

struct move_args {
	struct volume_copying copying; /* its volume: as it will be */
	struct volume *volume;	       /* claimed, so it stays */
	struct volume *old;	       /* as it was; NULL until "record" */
};

static void free_args(void *data)
{
	struct move_args *args = data;

	volume_copying_done(&args->copying);
	volume_free(args->old);
	free(args);
}

static char *key_of(const struct volume *volume)
{
	return xasprintf("%s/%s", volume->record->pool, volume->record->name);
}

/* ---- steps ---- */

static enum op_next copied(struct op *op, const struct job_report *report)
{
	const struct move_args *args = op->args;

	(void)report;
	if (op->err.code == 0)
		return OP_NEXT;
	(void)err_wrap(&op->err, "copy storage volume \"%s\" to pool \"%s\"",
		       args->volume->record->name, args->copying.making.volume->record->pool);
	return OP_FAIL;
}

static enum op_next step_copy(struct op *op)
{
	return volume_copying_make(op, copied);
}

/* Those that do not come along go. */
static int store_snapshots(struct db *db, const struct move_args *args, struct err *err)
{
	const struct volume *to = args->copying.making.volume;
	int r = 0;

	for (size_t i = 0; i < args->volume->snapshots.len && r == 0; i++)
		r = i < to->snapshots.len
			    ? db_volume_snap_update(db, to->snapshots.items[i], err)
			    : db_volume_snap_delete(db, args->volume->snapshots.items[i]->id, err);
	return r;
}

static int store(struct op *op, struct err *err)
{
	const struct move_args *args = op->args;
	_cleanup_(strv_freep) char **old = volume_snapshot_uuids(args->volume);
	struct db *db = op->core->db;
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	r = db_volume_update(db, args->copying.making.volume->record, err);
	if (r == 0)
		r = store_snapshots(db, args, err);
	if (r == 0)
		r = volume_journal(op, "volume-delete", args->volume->record, old, err);
	return db_end(db, r, err);
}

/* The two exchange what they are, and the one that was only made for this is in no list any more. */
static void exchange(struct op *op)
{
	struct move_args *args = op->args;
	struct volume *volume = args->volume, *old = TAKE_PTR(args->copying.making.volume);
	const struct volume was = *volume;
	_cleanup_(freep) char *from = key_of(volume);
	_cleanup_(freep) char *to = key_of(old);

	(void)strmap_take(&op->core->volumes, from);
	(void)strmap_take(&op->core->volumes, to);
	volume->record = old->record;
	volume->snapshots = old->snapshots;
	volume->closed = false;
	old->record = was.record;
	old->snapshots = was.snapshots;
	strmap_set_take(&op->core->volumes, to, volume);
	args->old = old;
	log_info(LOG_NONE, "storage volume %s is %s now", from, to);
}

static enum op_next step_record(struct op *op)
{
	const struct move_args *args = op->args;

	if (volume_check_unused(args->volume, &op->err) < 0 || store(op, &op->err) < 0)
		return OP_FAIL;
	op_no_return(op);
	exchange(op);
	volume_publish(op->core, "storage-volume-renamed", args->volume->record, NULL);
	return OP_NEXT;
}

static enum op_next old_is_deleted(struct op *op, const struct job_report *report)
{
	const struct move_args *args = op->args;

	(void)report;
	if (op->err.code == 0)
		return OP_NEXT;
	(void)err_wrap(&op->err,
		       "storage volume \"%s\" is in pool \"%s\" now; what is left of it in pool "
		       "\"%s\" goes when sysctrd is started again",
		       args->volume->record->name, args->volume->record->pool,
		       args->old->record->pool);
	return OP_FAIL;
}

static enum op_next step_delete_old(struct op *op)
{
	const struct move_args *args = op->args;
	_cleanup_(strv_freep) char **snapshots = volume_snapshot_uuids(args->old);

	return volume_remove(op, args->old->record, snapshots, old_is_deleted, &op->err);
}

static enum op_next step_erase(struct op *op)
{
	journal_erase(op);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "hold", volume_making_hold, volume_making_undo_hold },
	{ "journal", volume_making_journal, volume_making_undo },
	{ "copy", step_copy, NULL },
	{ "record", step_record, NULL },
	{ "delete-old", step_delete_old, NULL },
	{ "erase", step_erase, NULL },
	{ 0 },
};
static const struct op_table move_table = { "volume-move", steps };

/* ---- the request ---- */

/* Rows stay, directories are new. */
static void fill(struct move_args *args, const char *pool, const char *name, bool alone)
{
	const struct volume *from = args->volume;
	struct volume *to = xcalloc(1, sizeof(*to));
	char uuid[UUID_LEN];

	to->core = from->core;
	to->record = volume_record_copy(from->record);
	replace_str(&to->record->pool, pool);
	replace_str(&to->record->name, name);
	replace_str(&to->record->volume, uuid_new(uuid));
	args->copying.making.volume = to;
	args->copying.pool = xstrdup(from->record->pool);
	args->copying.from = xstrdup(from->record->volume);
	if (!alone)
		volume_copying_add_snapshots(&args->copying, from);
	for (size_t i = 0; i < to->snapshots.len; i++)
		to->snapshots.items[i]->id = from->snapshots.items[i]->id;
}

static int check(const struct move_args *args, struct err *err)
{
	const struct volume *from = args->volume;
	int r = volume_making_check(from->core, args->copying.making.volume->record, err);

	if (r == 0)
		r = volume_check_unread(from, err);
	if (r == 0)
		r = volume_check_unused(from, err);
	return r < 0 ? r : pool_check_there(from->core, from->record->pool, err);
}

int volume_move(struct volume *volume, const char *pool, const char *name, bool alone,
		struct op **ret_op, struct err *err)
{
	struct move_args *args = xcalloc(1, sizeof(*args));
	_cleanup_(freep) char *key = xasprintf("%s/%s", pool, name);
	struct volume *to;
	struct op *op;
	int r;

	args->volume = volume;
	fill(args, pool, name, alone);
	to = args->copying.making.volume;
	r = check(args, err);
	if (r < 0)
		free_args(args);
	op = r < 0 ? NULL
		   : op_new(volume->core, OP_TASK, "Moving storage volume", args, free_args, err);
	if (!op) {
		volume_free(to);
		return r < 0 ? r : -EBUSY;
	}
	(void)volume_claim(volume, op, NULL); /* it is free */
	(void)volume_claim(to, op, NULL);
	volume->closed = true; /* whoever would write to it now would write to what goes */
	strmap_set_take(&volume->core->volumes, key, to);
	volume_add_resource(op, volume->record, NULL);
	volume_add_resource(op, to->record, NULL);
	op_add_table(op, &move_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

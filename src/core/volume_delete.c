/*
 * core/volume_delete.c - a custom volume goes with its snapshots; what crashes left behind goes too
 *
 * "forget" is the point of no return: the rows go and a journal row for the directories comes in one
 * transaction.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/pool.h"
#include "core/side_files.h"
#include "core/volume.h"
#include "core/volume_making.h"
#include "db/journal.h"
#include "db/volumes.h"

struct delete_args {
	struct volume_record *record;
	char **snapshots; /* uuids */
};

static void free_args(void *data)
{
	struct delete_args *args = data;

	volume_record_free(args->record);
	strv_free(args->snapshots);
	free(args);
}

/* @journal: its directories are to go. */
static int forget(struct op *op, struct volume *volume, bool journal, struct err *err)
{
	const struct delete_args *args = op->args;
	struct db *db = op->core->db;
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	if (journal)
		r = volume_journal(op, "volume-delete", args->record, args->snapshots, err);
	if (r == 0)
		r = db_volume_delete(db, volume->record->id, err);
	return db_end(db, r, err);
}

static enum op_next forget_and_tell(struct op *op, bool journal)
{
	const struct delete_args *args = op->args;
	_cleanup_(freep) char *key = xasprintf("%s/%s", args->record->pool, args->record->name);
	struct volume *volume = strmap_get(&op->core->volumes, key);

	if (volume_check_unused(volume, &op->err) < 0 || forget(op, volume, journal, &op->err) < 0)
		return OP_FAIL;
	op_no_return(op);
	(void)strmap_unset(&op->core->volumes, key);
	volume_publish(op->core, "storage-volume-deleted", args->record, NULL);
	return OP_NEXT;
}

static enum op_next step_forget(struct op *op)
{
	return forget_and_tell(op, true);
}

/* Its pool is lost. */
static enum op_next step_forget_only(struct op *op)
{
	const struct volume_record *record = ((const struct delete_args *)op->args)->record;
	_cleanup_(freep) char *object = xasprintf(JOB_SIDE_CUSTOM "%s", record->volume);
	enum op_next next = OP_FAIL;

	if (pool_check_removal(op->core, record->pool, "storage volume", true, &op->err) == 0)
		next = forget_and_tell(op, false);
	if (next == OP_NEXT) {
		side_files_leave(op->core->side_files, object);
		pool_tell_left(op, record->pool, "what is in it");
	}
	return next;
}

enum op_next volume_remove(struct op *op, const struct volume_record *record,
			   char *const *snapshots, job_done_fn *done, struct err *err)
{
	struct job job = { .kind = JOB_VOLUME_DELETE, .custom = true };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, record->pool, &job, err) == 0) {
		job.volume = xstrdup(record->volume);
		job.stage = xstrdup(record->volume);
		job.snapshots = strv_copy((const char *const *)snapshots);
		next = job_run(op, &job, -EBADF, done);
	}
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next step_delete(struct op *op)
{
	const struct delete_args *args = op->args;

	return volume_remove(op, args->record, args->snapshots, NULL, &op->err);
}

static enum op_next step_clean_up(struct op *op)
{
	journal_erase(op);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "forget", step_forget, NULL },
	{ "delete", step_delete, NULL },
	{ "clean-up", step_clean_up, NULL },
	{ 0 },
};
static const struct op_table delete_table = { "volume-delete", steps };

static const struct op_step forget_steps[] = {
	{ "forget", step_forget_only, NULL },
	{ 0 },
};
static const struct op_table forget_table = { "volume-forget", forget_steps };

int volume_delete(struct volume *volume, bool forget, struct op **ret_op, struct err *err)
{
	struct delete_args *args;
	struct op *op;
	int r = core_check_open(volume->core, err);

	if (r == 0)
		r = volume_check_unread(volume, err);
	if (r == 0)
		r = volume_check_unused(volume, err);
	if (r == 0)
		r = pool_check_removal(volume->core, volume->record->pool, "storage volume", forget,
				       err);
	if (r < 0)
		return r;
	args = xcalloc(1, sizeof(*args));
	args->record = volume_record_copy(volume->record);
	args->snapshots = volume_snapshot_uuids(volume);
	op = op_new(volume->core, OP_TASK, "Deleting storage volume", args, free_args, err);
	if (!op)
		return -EBUSY;
	(void)volume_claim(volume, op, NULL); /* it is free */
	volume_add_resource(op, volume->record, NULL);
	op_add_table(op, forget ? &forget_table : &delete_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

/* ---- after a crash ---- */

/* A row that came with the end of the journal's: nothing was left to do. */
bool volume_has_row(struct core *core, const char *uuid)
{
	strmap_for_each(entry, &core->volumes)
	{
		const struct volume *volume = entry->value;

		if (streq(volume->record->volume, uuid))
			return true;
		vec_for_each(snap, &volume->snapshots)
			if (streq((*snap)->volume, uuid))
				return true;
	}
	return false;
}

static char **lost_snapshots(struct core *core, const struct journal_record *row)
{
	_cleanup_(strv_freep) char **all =
		strv_split(strmap_get(&row->data, "snapshots") ?: "", ",");
	char **lost = NULL;

	for (char **uuid = all; uuid && *uuid; uuid++)
		if (!str_empty(*uuid) && !volume_has_row(core, *uuid))
			strv_push(&lost, *uuid);
	return lost;
}

static enum op_next step_delete_lost(struct op *op)
{
	const struct journal_record *row = op->args;
	const char *volume = strmap_get(&row->data, "volume");
	bool whole = streq(row->kind, "volume-create") || streq(row->kind, "volume-delete");
	struct job job = { .kind = whole ? JOB_VOLUME_DELETE : JOB_SNAPSHOT_DELETE,
			   .custom = whole };
	enum op_next next = OP_FAIL;

	if (whole && volume_has_row(op->core, volume))
		return OP_NEXT;
	if (pool_fill_job(op->core, strmap_get(&row->data, "pool"), &job, &op->err) == 0) {
		job.volume = xstrdup(whole ? volume : NULL);
		job.snapshots = lost_snapshots(op->core, row);
		next = job_run(op, &job, -EBADF, NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next step_erase(struct op *op)
{
	const struct journal_record *row = op->args;

	if (db_journal_delete(op->core->db, row->id, &op->err) < 0)
		return OP_FAIL;
	log_info(LOG_NONE, "%s of %s was interrupted and is cleaned up", row->kind, row->object);
	return OP_NEXT;
}

static enum op_next step_limit_again(struct op *op)
{
	const struct journal_record *row = op->args;

	return volume_limit_again(op, strmap_get(&row->data, "volume"));
}

static const struct op_step size_steps[] = {
	{ "limit", step_limit_again, NULL },
	{ "erase", step_erase, NULL },
	{ 0 },
};
static const struct op_table size_table = { "clean-up-volume-size", size_steps };

static const struct op_step clean_steps[] = {
	{ "delete", step_delete_lost, NULL },
	{ "erase", step_erase, NULL },
	{ 0 },
};
static const struct op_table clean_table = { "clean-up-volume", clean_steps };

static void free_row(void *data)
{
	journal_record_free(data);
}

void volume_clean_up(struct core *core, struct journal_record *row)
{
	struct op *op = op_new(core, OP_TASK, "Cleaning up", row, free_row, NULL);

	if (!op)
		return; /* the row stays for the next start */
	op_add_table(op, streq(row->kind, VOLUME_SIZE) ? &size_table : &clean_table);
	op_start(op);
}

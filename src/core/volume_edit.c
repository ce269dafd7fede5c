/*
 * core/volume_edit.c - description and keys of a custom volume; its size
 *
 *   journal -> limit -> record
 *
 * The row says what the size is. While a volume is being given another there is a row of the journal,
 * "volume-size". An edit that fails, perhaps since a worker died over it, sets what the volume's row
 * says before it erases that; where it cannot, and after a crash, the next start of sysctrd does.
 */
#include <errno.h>
#include <stdlib.h>

#include "aio/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/pool.h"
#include "core/volume.h"
#include "db/journal.h"
#include "db/volumes.h"
#include "spec/keys.h"
#include "storage/policy.h"

struct edit_args {
	struct volume *volume; /* claimed, so it stays */
	struct volume_record *record;
};

static void free_args(void *data)
{
	struct edit_args *args = data;

	volume_record_free(args->record);
	free(args);
}

static bool is_resized(const struct edit_args *args)
{
	return volume_size(args->record) != volume_size(args->volume->record);
}

static enum op_next step_journal(struct op *op)
{
	const struct edit_args *args = op->args;

	return is_resized(args)
		       ? op_result(volume_journal(op, VOLUME_SIZE, args->record, NULL, &op->err))
		       : OP_NEXT;
}

static enum op_next run_limit(struct op *op, const struct volume_record *record, uint64_t bytes,
			      job_done_fn *done, struct err *err)
{
	struct job job = { .kind = JOB_VOLUME_LIMIT, .custom = true, .size_bytes = bytes };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, record->pool, &job, err) == 0) {
		job.volume = xstrdup(record->volume);
		next = job_run(op, &job, -EBADF, done);
	}
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next size_is_back(struct op *op, const struct job_report *report)
{
	(void)job_undone(op, report);
	return journal_undo(op);
}

/* Whatever "limit" came to: a worker that died may have set it before. */
static enum op_next undo_journal(struct op *op)
{
	const struct edit_args *args = op->args;
	struct err err = { 0 };
	enum op_next next = OP_NEXT;

	if (is_resized(args))
		next = run_limit(op, args->record, volume_size(args->volume->record), size_is_back,
				 &err);
	return next == OP_FAIL ? OP_NEXT : next; /* the row stays */
}

static enum op_next step_limit(struct op *op)
{
	const struct edit_args *args = op->args;

	return is_resized(args)
		       ? run_limit(op, args->record, volume_size(args->record), NULL, &op->err)
		       : OP_NEXT;
}

static int store(struct op *op, struct err *err)
{
	const struct edit_args *args = op->args;
	struct db *db = op->core->db;
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	r = db_volume_update(db, args->record, err);
	if (r == 0)
		r = journal_erase_in_tx(op, err);
	return db_end(db, r, err);
}

static enum op_next step_record(struct op *op)
{
	struct edit_args *args = op->args;
	struct volume *volume = args->volume;

	if (store(op, &op->err) < 0)
		return OP_FAIL;
	op_no_return(op);
	volume_record_free(volume->record);
	volume->record = TAKE_PTR(args->record);
	volume_publish(op->core, "storage-volume-updated", volume->record, NULL);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "journal", step_journal, undo_journal },
	{ "limit", step_limit, NULL },
	{ "record", step_record, NULL },
	{ 0 },
};
static const struct op_table edit_table = { "volume-edit", steps };

static int make_record(const struct volume *volume, const struct volume_record *wanted,
		       struct volume_record **ret_record, struct err *err)
{
	_cleanup_(volume_record_freep) struct volume_record *record =
		volume_record_copy(volume->record);
	int r;

	strmap_done(&record->config);
	strmap_merge(&record->config, &wanted->config);
	keys_drop_empty(&record->config);
	replace_str(&record->description, wanted->description);
	r = volume_record_validate(record, err);
	if (r == 0)
		r = volume_check_size(volume->core, record, err);
	if (r == 0)
		*ret_record = TAKE_PTR(record);
	return r;
}

int volume_edit(struct volume *volume, const struct volume_record *record, struct op **ret_op,
		struct err *err)
{
	struct volume_record *edited = NULL;
	struct edit_args *args;
	struct op *op;
	int r = core_check_open(volume->core, err);

	if (r == 0)
		r = volume_check_free(volume, err);
	if (r == 0)
		r = make_record(volume, record, &edited, err);
	if (r < 0)
		return r;
	args = xcalloc(1, sizeof(*args));
	args->volume = volume;
	args->record = edited;
	op = op_new(volume->core, OP_TASK, "Updating storage volume", args, free_args, err);
	if (!op)
		return -EBUSY;
	(void)volume_claim(volume, op, NULL); /* it is free */
	volume_add_resource(op, volume->record, NULL);
	op_add_table(op, &edit_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

int volume_journal_size(const struct volume *volume, struct journal_record **ret_row,
			struct err *err)
{
	_cleanup_(journal_record_freep) struct journal_record *row = NULL;
	char uuid[UUID_LEN];
	int r;

	row = journal_record_new(uuid_new(uuid));
	replace_str(&row->kind, VOLUME_SIZE);
	row->object = xasprintf("%s/%s", volume->record->pool, volume->record->name);
	replace_str(&row->step, "");
	row->created_wall_ns = aio_wall_now(volume->core->loop);
	strmap_set(&row->data, "pool", volume->record->pool);
	strmap_set(&row->data, "volume", volume->record->volume);
	r = db_journal_set(volume->core->db, row, err);
	if (r == 0)
		*ret_row = TAKE_PTR(row);
	return r;
}

enum op_next volume_limit_again(struct op *op, const char *uuid)
{
	strmap_for_each(entry, &op->core->volumes)
	{
		const struct volume_record *record = ((const struct volume *)entry->value)->record;

		if (streq(record->volume, uuid))
			return run_limit(op, record, volume_size(record), NULL, &op->err);
	}
	return OP_NEXT; /* it was deleted since */
}

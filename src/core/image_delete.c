/*
 * core/image_delete.c - images go: the row, then the files and what is unpacked in pools
 *
 *   forget -> delete-files; of a volume: forget -> delete -> erase
 *
 * Rows go together with the coming of a journal row, which goes with what they were about.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/flight.h"
#include "core/image.h"
#include "core/inst.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/pool.h"
#include "db/images.h"
#include "db/journal.h"

/* ---- what is unpacked in pools ---- */

static bool volume_has_users(struct core *core, const char *pool, const char *fingerprint)
{
	strmap_for_each(entry, &core->instances)
	{
		const struct inst *inst = entry->value;

		if (!streq(inst->record->pool, pool))
			continue;
		if (streq(inst->record->image_fingerprint, fingerprint))
			return true;
		vec_for_each(snapshot, &inst->snapshots)
			if (streq((*snapshot)->inst->image_fingerprint, fingerprint))
				return true;
	}
	return false;
}

/* "pool/fingerprint", as in core->image_volumes. Returns: the fingerprint, with *@key cut off before it. */
static const char *split_key(char *key)
{
	char *slash = strrchr(key, '/');

	*slash = '\0';
	return slash + 1;
}

static char *deletion_of(const char *key)
{
	return xasprintf("delete/%s", key);
}

enum op_next image_volume_await_deleted(struct op *op, const char *key)
{
	_cleanup_(freep) char *flight = deletion_of(key);

	return flight_await(op, flight);
}

static enum op_next run_volume_delete(struct op *op, const char *pool, const char *fingerprint)
{
	struct job job = { .kind = JOB_IMAGE_DELETE };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, pool, &job, &op->err) == 0) {
		job.image = xstrdup(fingerprint);
		next = job_run(op, &job, -EBADF, NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

/* From here on it is nobody's; the journal has it until it is gone. */
static int forget_volume(struct op *op, const char *pool, const char *fingerprint)
{
	_cleanup_(strmap_done) struct strmap data = { 0 };
	int r;

	strmap_set(&data, "pool", pool);
	r = journal_write_data(op, IMAGE_VOLUME_DELETE, fingerprint, &data, &op->err);
	return r < 0 ? r : db_image_volume_delete(op->core->db, pool, fingerprint, &op->err);
}

static enum op_next step_forget_volume(struct op *op)
{
	_cleanup_(freep) char *pool = xstrdup(op->args);
	const char *fingerprint = split_key(pool);
	int r = db_begin(op->core->db, &op->err);

	if (r == 0)
		r = db_end(op->core->db, forget_volume(op, pool, fingerprint), &op->err);
	return op_result(r);
}

static enum op_next step_delete_volume(struct op *op)
{
	_cleanup_(freep) char *pool = xstrdup(op->args);
	const char *fingerprint = split_key(pool);

	return run_volume_delete(op, pool, fingerprint);
}

static enum op_next step_erase_volume(struct op *op)
{
	journal_erase(op);
	return OP_NEXT;
}

static const struct op_step volume_steps[] = {
	{ "forget", step_forget_volume, NULL },
	{ "delete", step_delete_volume, NULL },
	{ "erase", step_erase_volume, NULL },
	{ 0 },
};
static const struct op_table volume_table = { "image-volume-delete", volume_steps };

/* Whoever wants it unpacked waits until it is gone. */
static void delete_volume(struct core *core, const char *key, const char *fingerprint)
{
	struct op *op = op_new(core, OP_TASK, "Deleting unpacked image", xstrdup(key), free, NULL);

	if (!op)
		return; /* the next start */
	(void)strmap_unset(&core->image_volumes, key);
	op->flight_key = deletion_of(key);
	op_add_resource(op, "images", fingerprint);
	op_add_table(op, &volume_table);
	op_start(op);
}

void image_volume_unused(struct core *core, const char *pool, const char *fingerprint)
{
	_cleanup_(freep) char *key = NULL;

	if (!fingerprint || strmap_has(&core->images, fingerprint) ||
	    volume_has_users(core, pool, fingerprint))
		return;
	key = xasprintf("%s/%s", pool, fingerprint);
	if (strmap_has(&core->image_volumes, key))
		delete_volume(core, key, fingerprint);
}

void image_volumes_settle(struct core *core)
{
	_cleanup_(strv_freep) char **keys = NULL;

	strmap_for_each(entry, &core->image_volumes) strv_push(&keys, entry->key);
	for (char **key = keys; key && *key; key++) {
		const char *fingerprint = split_key(*key);

		image_volume_unused(core, *key, fingerprint);
	}
}

void image_forget(struct core *core, const char *fingerprint)
{
	(void)strmap_unset(&core->images, fingerprint);
	strmap_for_each(entry, &core->pools) image_volume_unused(core, entry->key, fingerprint);
	events_publish_lifecycle(&core->events, "image-deleted", "images", fingerprint);
}

/* ---- the files ---- */

int image_delete_in_tx(struct op *op, const struct image_record *image, struct err *err)
{
	int r = journal_write_data(op, IMAGE_DELETE, image->fingerprint, &(struct strmap){ 0 },
				   err);

	return r < 0 ? r : db_image_delete(op->core->db, image->id, err);
}

static enum op_next files_deleted(struct op *op, const struct job_report *report)
{
	(void)report;
	if (op->err.code < 0)
		return OP_FAIL;
	journal_erase(op);
	return OP_NEXT;
}

/* Both files at once: the job takes "<src>" and "<src>.rootfs". */
static enum op_next run_delete(struct op *op, const char *fingerprint, job_done_fn *done)
{
	struct job job = { .kind = JOB_IMAGE_DELETE };
	enum op_next next;

	job.src = image_file(op->core, fingerprint, false);
	next = job_run(op, &job, -EBADF, done);
	wire_free(&job_schema, &job);
	return next;
}

enum op_next image_delete_files(struct op *op, const char *fingerprint)
{
	return run_delete(op, fingerprint, files_deleted);
}

static enum op_next step_forget(struct op *op)
{
	const char *fingerprint = op->args;
	struct image_record *image = strmap_get(&op->core->images, fingerprint);
	int r;

	if (!image) {
		(void)err_kind(&op->err, ERR_NOT_FOUND, "image %.12s is gone already", fingerprint);
		return OP_FAIL;
	}
	r = db_begin(op->core->db, &op->err);
	if (r == 0)
		r = db_end(op->core->db, image_delete_in_tx(op, image, &op->err), &op->err);
	if (r < 0)
		return OP_FAIL;
	op_no_return(op);
	image_forget(op->core, fingerprint);
	return OP_NEXT;
}

static enum op_next step_delete_files(struct op *op)
{
	return image_delete_files(op, op->args);
}

static const struct op_step delete_steps[] = {
	{ "forget", step_forget, NULL },
	{ "delete-files", step_delete_files, NULL },
	{ 0 },
};
static const struct op_table delete_table = { "image-delete", delete_steps };

static bool unpack_under_way(struct core *core, const char *fingerprint)
{
	strmap_for_each(entry, &core->pools)
	{
		_cleanup_(freep) char *flight = xasprintf("unpack/%s/%s", entry->key, fingerprint);

		if (flight_exists(core, flight))
			return true;
	}
	return false;
}

bool image_is_wanted(struct core *core, const char *fingerprint)
{
	if (unpack_under_way(core, fingerprint))
		return true;
	strmap_for_each(entry, &core->instances)
	{
		const struct inst *inst = entry->value;

		if (!inst->stored && streq(inst->record->image_fingerprint, fingerprint))
			return true;
	}
	return false;
}

int image_delete(struct core *core, struct image_record *image, struct op **ret_op, struct err *err)
{
	struct op *op;
	int r = core_check_open(core, err);

	if (r < 0)
		return r;
	if (unpack_under_way(core, image->fingerprint))
		return err_kind(err, ERR_CONFLICT, "image %.12s is being unpacked for a launch",
				image->fingerprint);
	op = op_new(core, OP_TASK, "Deleting image", xstrdup(image->fingerprint), free, err);
	if (!op)
		return -EBUSY;
	op_add_resource(op, "images", image->fingerprint);
	op_add_table(op, &delete_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

/* ---- after a crash ---- */

static void free_row(void *data)
{
	journal_record_free(data);
}

/* Unless the same image has come again. */
static enum op_next step_delete_left(struct op *op)
{
	const struct journal_record *row = op->args;

	return strmap_has(&op->core->images, row->object) ? OP_NEXT
							  : run_delete(op, row->object, NULL);
}

static enum op_next step_erase_row(struct op *op)
{
	const struct journal_record *row = op->args;

	if (db_journal_delete(op->core->db, row->id, &op->err) < 0)
		return OP_FAIL;
	log_info(LOG_NONE, "%s of %.12s was interrupted and is cleaned up", row->kind, row->object);
	return OP_NEXT;
}

static const struct op_step clean_steps[] = {
	{ "delete-files", step_delete_left, NULL },
	{ "erase", step_erase_row, NULL },
	{ 0 },
};
static const struct op_table clean_table = { "clean-up-image", clean_steps };

static char *volume_of(const struct journal_record *row)
{
	return xasprintf("%s/%s", (const char *)strmap_get(&row->data, "pool"), row->object);
}

/* Unless it could not be deleted, and was taken as it was since. */
static enum op_next step_delete_volume_left(struct op *op)
{
	const struct journal_record *row = op->args;
	_cleanup_(freep) char *key = volume_of(row);

	if (strmap_has(&op->core->image_volumes, key))
		return OP_NEXT;
	return run_volume_delete(op, strmap_get(&row->data, "pool"), row->object);
}

static const struct op_step clean_volume_steps[] = {
	{ "delete", step_delete_volume_left, NULL },
	{ "erase", step_erase_row, NULL },
	{ 0 },
};
static const struct op_table clean_volume_table = { "clean-up-image-volume", clean_volume_steps };

void image_clean_up(struct core *core, struct journal_record *row)
{
	bool files = streq(row->kind, IMAGE_DELETE);
	_cleanup_(freep) char *key = files ? NULL : volume_of(row);
	struct op *op = op_new(core, OP_TASK, "Cleaning up", row, free_row, NULL);

	if (!op)
		return; /* the row stays for the next start */
	if (key)
		op->flight_key = deletion_of(key);
	op_add_resource(op, "images", row->object);
	op_add_table(op, files ? &clean_table : &clean_volume_table);
	op_start(op);
}

/*
 * core/volume_import.c - a custom volume out of a backup: see volume_move.h
 *
 *   store -> inspect -> hold -> journal -> unpack -> record
 *
 * Every word of the index is a stranger's: keys that cannot be taken are left out and told.
 */
#include <errno.h>
#include <stdlib.h>

#include "aio/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/core.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/pool.h"
#include "core/upload.h"
#include "core/volume.h"
#include "core/volume_making.h"
#include "core/volume_move.h"
#include "os/fd.h"
#include "spec/names.h"
#include "spec/portable.h"

struct import_args {
	struct volume_making making; /* volume is NULL until "hold" */
	struct upload upload;
	char *pool;
	char *name;	     /* NULL: as the backup says */
	struct volume *made; /* by "inspect", for "hold" */
	char **left_out;
};

static void free_args(void *data)
{
	struct import_args *args = data;

	upload_done(&args->upload);
	volume_free(args->made);
	strv_free(args->left_out);
	free(args->pool);
	free(args->name);
	free(args);
}

static enum op_next step_store(struct op *op)
{
	struct import_args *args = op->args;

	return upload_store(op, &args->upload);
}

static void leave_out(char ***left_out, const char *key, const char *why)
{
	_cleanup_(freep) char *text = xasprintf("key \"%s\": %s", key, why);

	strv_push_take(left_out, str_printable(text, false));
}

static void take_keys(struct volume *volume, const struct strmap *config, char ***left_out)
{
	struct volume_record *record = volume->record;
	struct err err = { 0 };

	strmap_for_each(entry, config)
	{
		const char *key = portable_decode(entry->key);

		if (str_after(key, "volatile."))
			continue; /* what other daemons note for themselves */
		err = (struct err){ 0 };
		if (key_check(&volume_keys, key, entry->value, &err) < 0)
			leave_out(left_out, key, err.msg);
		else if (!str_empty(entry->value))
			strmap_set(&record->config, key, entry->value);
	}
	err = (struct err){ 0 };
	if (volume_check_size(volume->core, record, &err) == 0)
		return;
	leave_out(left_out, "size", err.msg);
	(void)strmap_unset(&record->config, "size");
}

static void take_snaps(struct volume *volume, const struct backup_index *index, int64_t now)
{
	char uuid[UUID_LEN];

	vec_for_each(item, &index->snapshots) {
		struct volume_snap *snap = volume_snap_new(item->name);

		snap->volume = xstrdup(uuid_new(uuid));
		snap->description = xstrdup(item->description);
		snap->created_wall_ns = item->created_wall_ns > 0 ? item->created_wall_ns : now;
		/* one that has expired is kept */
		snap->expires_wall_ns = item->expires_wall_ns > now ? item->expires_wall_ns : 0;
		snap->scheduled = item->scheduled;
		snap->size_bytes = item->size_bytes;
		*vec_push(&volume->snapshots) = snap;
	}
}

int volume_from_index(struct core *core, const struct volume_record *as,
		      const struct backup_index *index, struct volume **ret_volume,
		      char ***left_out, struct err *err)
{
	struct volume *volume = xcalloc(1, sizeof(*volume));
	int64_t now = aio_wall_now(core->loop);
	char uuid[UUID_LEN];
	int r;

	volume->core = core;
	volume->record = volume_record_copy(as);
	volume->record->volume = xstrdup(uuid_new(uuid));
	volume->record->description = xstrdup(index->instance.description);
	volume->record->created_wall_ns = now;
	r = name_validate(NAME_VOLUME, volume->record->name, err);
	if (r == 0) {
		take_keys(volume, &index->instance.config, left_out);
		take_snaps(volume, index, now);
		r = volume_record_validate(volume->record, err);
	}
	if (r < 0)
		volume_free(volume);
	else
		*ret_volume = volume;
	return r;
}

static int make_volume(struct core *core, struct import_args *args,
		       const struct backup_index *index, struct err *err)
{
	const char *name = args->name ? args->name : index->instance.name;
	_cleanup_(volume_record_freep) struct volume_record *as =
		volume_record_new(args->pool, name ? name : "");

	return volume_from_index(core, as, index, &args->made, &args->left_out, err);
}

static enum op_next inspected(struct op *op, const struct job_report *report)
{
	struct import_args *args = op->args;
	struct backup_index index = { 0 };
	int r = op->err.code;

	(void)report;
	if (r == 0)
		r = upload_read_index(&args->upload, &index, &op->err);
	if (r == 0)
		r = make_volume(op->core, args, &index, &op->err);
	wire_free(&backup_index_schema, &index);
	return op_result(r);
}

static enum op_next step_inspect(struct op *op)
{
	struct import_args *args = op->args;

	return upload_inspect(op, &args->upload, true, inspected);
}

static int check_name(struct core *core, const char *pool, const char *name, struct err *err)
{
	_cleanup_(freep) char *key = xasprintf("%s/%s", pool, name);
	int r = name_validate(NAME_VOLUME, name, err);

	if (r == 0 && strmap_has(&core->volumes, key))
		r = err_kind(err, ERR_CONFLICT,
			     "storage volume \"%s\" exists already in pool \"%s\"", name, pool);
	return r;
}

static enum op_next step_hold(struct op *op)
{
	struct import_args *args = op->args;
	const struct volume_record *record = args->made->record;
	_cleanup_(freep) char *key = xasprintf("%s/%s", record->pool, record->name);

	if (check_name(op->core, record->pool, record->name, &op->err) < 0)
		return OP_FAIL;
	args->making.volume = TAKE_PTR(args->made);
	(void)volume_claim(args->making.volume, op, NULL); /* it is new: nobody has it */
	strmap_set_take(&op->core->volumes, key, args->making.volume);
	volume_add_resource(op, record, NULL);
	strmap_set(&op->metadata, "name", record->name);
	if (args->left_out)
		strmap_set_take(&op->metadata, "left_out",
				strv_join((const char *const *)args->left_out, "\n"));
	return OP_NEXT;
}

/* It died: what is there now, the next start finds by the journal. */
static enum op_next unpacked(struct op *op, const struct job_report *report)
{
	const struct import_args *args = op->args;

	if (!report->done)
		op->undo_failed = true;
	vec_for_each(snap, &args->making.volume->snapshots)
		(*snap)->size_bytes = upload_size_of(report, (*snap)->volume);
	return op_result(op->err.code);
}

static enum op_next step_unpack(struct op *op)
{
	struct import_args *args = op->args;
	const struct volume *volume = args->making.volume;
	struct job job = { .kind = JOB_BACKUP_UNPACK, .custom = true };
	enum op_next next = OP_FAIL;
	int fd = upload_reopen(&args->upload, &op->err);

	if (fd < 0)
		return OP_FAIL;
	if (pool_fill_job(op->core, volume->record->pool, &job, &op->err) < 0)
		(void)fd_close(fd);
	else {
		job.volume = xstrdup(volume->record->volume);
		job.size_bytes = volume_size(volume->record);
		vec_for_each(snap, &volume->snapshots)
			strmap_set(&job.properties, (*snap)->name, (*snap)->volume);
		next = job_run(op, &job, fd, unpacked);
	}
	wire_free(&job_schema, &job);
	return next;
}

static const struct op_step steps[] = {
	{ "store", step_store, NULL },
	{ "inspect", step_inspect, NULL },
	{ "hold", step_hold, volume_making_undo_hold },
	{ "journal", volume_making_journal, volume_making_undo },
	{ "unpack", step_unpack, NULL },
	{ "record", volume_making_record, NULL },
	{ 0 },
};
static const struct op_table import_table = { "volume-import", steps };

int volume_import(struct core *core, const char *pool, const char *name, int *ret_body_fd,
		  struct op **ret_op, struct err *err)
{
	struct import_args *args = xcalloc(1, sizeof(*args));
	_cleanup_(fd_closep) int body_fd = -EBADF;
	struct pool_record *record = NULL;
	struct op *op;
	int r = core_check_open(core, err);

	args->upload = (struct upload){ -EBADF, -EBADF, -EBADF };
	args->pool = xstrdup(pool);
	args->name = xstrdup(name);
	if (r == 0)
		r = pool_find(core, pool, &record, err);
	if (r == 0 && name)
		r = check_name(core, pool, name, err);
	if (r == 0)
		r = upload_open(core, &args->upload, &body_fd, err);
	if (r < 0) {
		free_args(args);
		return r;
	}
	op = op_new(core, OP_TASK, "Importing storage volume", args, free_args, err);
	if (!op)
		return -EBUSY;
	op_add_table(op, &import_table);
	op_start(op);
	*ret_body_fd = TAKE_FD(body_fd);
	*ret_op = op;
	return 0;
}

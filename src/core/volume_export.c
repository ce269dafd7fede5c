/*
 * core/volume_export.c - a custom volume as a backup, streamed: see volume_move.h
 *
 *   volume_still_table -> read-on -> pack -> drop -> erase
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/core.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/pool.h"
#include "core/volume.h"
#include "core/volume_making.h"
#include "core/volume_move.h"
#include "os/fd.h"
#include "spec/backup.h"

struct export_args {
	struct volume_still still;
	struct volume_export export;
	struct job_pipe pipe;
};

static void free_args(void *data)
{
	struct export_args *args = data;

	volume_snap_free(args->still.snap);
	free(args->export.index);
	free(args->export.compression);
	job_pipe_close(&args->pipe);
	free(args);
}

static enum op_next step_read_on(struct op *op)
{
	const struct export_args *args = op->args;

	volume_read_on(args->still.volume, op);
	return OP_NEXT;
}

static enum op_next step_pack(struct op *op)
{
	struct export_args *args = op->args;
	const struct volume *volume = args->still.volume;
	struct job job = { .kind = JOB_INSTANCE_EXPORT, .custom = true };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, volume->record->pool, &job, &op->err) == 0) {
		job.snapshot = xstrdup(args->still.snap->volume);
		strmap_set(&job.variables, "index", args->export.index);
		strmap_set(&job.variables, "compression", args->export.compression);
		if (!args->export.alone)
			vec_for_each(snap, &volume->snapshots)
				strmap_set(&job.properties, (*snap)->name, (*snap)->volume);
		next = job_run_out(op, &job, TAKE_FD(args->pipe.out_fd), NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next step_erase(struct op *op)
{
	journal_erase(op);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "read-on", step_read_on, NULL },
	{ "pack", step_pack, NULL },
	{ "drop", volume_still_drop, NULL },
	{ "erase", step_erase, NULL },
	{ 0 },
};
static const struct op_table export_table = { "volume-export", steps };

static int check(const struct volume *volume, const struct volume_export *export, struct err *err)
{
	int r = core_check_open(volume->core, err);

	if (r == 0)
		r = volume_check_unread(volume, err);
	if (r == 0)
		r = job_check_compression(export->compression, err);
	if (r == 0 && !export->alone && volume->snapshots.len > BACKUP_SNAPSHOTS_MAX)
		r = err_kind(err, ERR_INVALID,
			     "it has more than %d snapshots: leave them out (--volume-only)",
			     BACKUP_SNAPSHOTS_MAX);
	return r;
}

int volume_export(struct volume *volume, struct volume_export *export, int *ret_fd,
		  struct op **ret_op, struct err *err)
{
	struct export_args *args = xcalloc(1, sizeof(*args));
	_cleanup_(fd_closep) int read_fd = -EBADF;
	struct op *op;
	int r = check(volume, export, err);

	args->export = *export;
	args->pipe.out_fd = -EBADF;
	if (r == 0)
		r = job_pipe_open(&args->pipe, &read_fd, err);
	if (r < 0) {
		free_args(args);
		return r;
	}
	volume_still_init(volume, &args->still);
	op = op_new(volume->core, OP_TASK, "Exporting storage volume", args, free_args, err);
	if (!op)
		return -EBUSY;
	(void)volume_claim(volume, op, NULL); /* it is free */
	volume_add_resource(op, volume->record, NULL);
	op_add_table(op, &volume_still_table);
	op_add_table(op, &export_table);
	job_pipe_watch(&args->pipe, op);
	op_start(op);
	*ret_fd = TAKE_FD(read_fd);
	*ret_op = op;
	return 0;
}

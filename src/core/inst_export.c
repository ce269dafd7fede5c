/*
 * core/inst_export.c - an instance as a backup, streamed
 *
 *   stopped: check -> await-released -> pack
 *   running: still_table -> read-on -> pack -> drop -> erase
 *
 * Nothing is kept on the host: what the helper writes goes to whoever reads the pipe. A reader that
 * goes away ends the helper, and with it the op.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/inst_events.h"
#include "core/inst_ids.h"
#include "core/inst_move.h"
#include "core/job.h"
#include "core/pool.h"
#include "os/fd.h"
#include "spec/backup.h"

void inst_export_free(struct inst_export *export)
{
	if (!export)
		return;
	job_pipe_close(&export->pipe);
	still_done(&export->still);
	free(export->index);
	free(export->backup);
	free(export->compression);
	free(export);
}

static void free_export(void *data)
{
	inst_export_free(data);
}

static void add_snapshots(const struct inst *inst, struct job *job)
{
	vec_for_each(snapshot, &inst->snapshots) {
		_cleanup_(freep) char *key = xasprintf("image.%s", (*snapshot)->name);

		strmap_set(&job->properties, (*snapshot)->name, (*snapshot)->volume);
		if ((*snapshot)->inst->image_fingerprint)
			strmap_set(&job->variables, key, (*snapshot)->inst->image_fingerprint);
	}
}

static enum op_next step_pack(struct op *op)
{
	struct inst_export *export = op->args;
	const struct inst_record *record = op->inst->record;
	struct job job = { .kind = JOB_INSTANCE_EXPORT };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, record->pool, &job, &op->err) == 0) {
		job.volume = xstrdup(record->name);
		if (export->still.snapshot)
			job.snapshot = xstrdup(export->still.snapshot->volume);
		job.image = xstrdup(record->image_fingerprint);
		strmap_set(&job.variables, "index", export->index);
		strmap_set(&job.variables, "backup", export->backup);
		strmap_set(&job.variables, "compression", export->compression);
		if (!export->instance_only)
			add_snapshots(op->inst, &job);
		next = job_run_out(op, &job, TAKE_FD(export->pipe.out_fd), NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

static const struct op_step steps[] = {
	{ "check", inst_step_check_stopped, NULL },
	{ "await-released", inst_step_await_released, NULL },
	{ "pack", step_pack, NULL },
	{ 0 },
};
static const struct op_table export_table = { "export", steps };

static const struct op_step still_steps[] = {
	{ "read-on", inst_step_read_on, NULL },
	{ "pack", step_pack, NULL },
	{ "drop", still_step_drop, NULL },
	{ "erase", still_step_erase, NULL },
	{ 0 },
};
static const struct op_table export_still_table = { "export-still", still_steps };

static int check_request(const struct inst *inst, const struct inst_export *export, struct err *err)
{
	int r = core_check_open(inst->core, err);

	if (r == 0)
		r = job_check_compression(export->compression, err);
	if (r == 0)
		r = inst_check_packable(inst->record, err);
	if (r == 0 && !export->instance_only && inst->snapshots.len > BACKUP_SNAPSHOTS_MAX)
		r = err_kind(err, ERR_INVALID,
			     "it has more than %d snapshots: leave them out (--instance-only)",
			     BACKUP_SNAPSHOTS_MAX);
	return r;
}

int inst_export(struct inst *inst, struct inst_export *export, int *ret_fd, struct op **ret_op,
		struct err *err)
{
	_cleanup_(fd_closep) int read_fd = -EBADF;
	struct op *op;
	int r = check_request(inst, export, err);

	export->pipe.out_fd = -EBADF;
	if (r == 0)
		r = job_pipe_open(&export->pipe, &read_fd, err);
	if (r < 0) {
		inst_export_free(export);
		return r;
	}
	op = op_new(inst->core, OP_TASK, "Exporting instance", export, free_export, err);
	if (!op)
		return -EBUSY;
	r = inst_claim(inst, op, err);
	if (r < 0) {
		op_unref(op);
		return r;
	}
	op_add_resource(op, "instances", inst->record->name);
	if (inst->state == INST_STOPPED) {
		op_add_table(op, &export_table);
	} else {
		still_init(&export->still);
		op_add_table(op, &still_table);
		op_add_table(op, &export_still_table);
	}
	job_pipe_watch(&export->pipe, op);
	op_start(op);
	*ret_fd = TAKE_FD(read_fd);
	*ret_op = op;
	return 0;
}

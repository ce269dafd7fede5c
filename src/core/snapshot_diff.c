/* core/snapshot_diff.c - what has changed between a snapshot and a later one, or now */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/job.h"
#include "core/pool.h"
#include "core/snapshot.h"
#include "os/fd.h"

struct diff_args {
	struct job job;
	int out_fd;
};

static void free_args(void *data)
{
	struct diff_args *args = data;

	wire_free(&job_schema, &args->job);
	(void)fd_close(args->out_fd);
	free(args);
}

static enum op_next step_compare(struct op *op)
{
	struct diff_args *args = op->args;

	return job_run_out(op, &args->job, TAKE_FD(args->out_fd), NULL);
}

static const struct op_step steps[] = {
	{ "compare", step_compare, NULL },
	{ 0 },
};
static const struct op_table diff_table = { "snapshot-diff", steps };

static int fill_job(struct inst *inst, const char *name, const char *to, struct job *job,
		    struct err *err)
{
	struct snap_record *old, *new = NULL;
	int r = snapshot_find(inst, name, &old, err);

	if (r == 0 && *to)
		r = snapshot_find(inst, to, &new, err);
	if (r == 0)
		r = pool_fill_job(inst->core, inst->record->pool, job, err);
	if (r < 0)
		return r;
	job->kind = JOB_SNAPSHOT_DIFF;
	job->snapshot = xstrdup(old->volume);
	job->fingerprint = xstrdup(old->inst->image_fingerprint);
	job->image = xstrdup(new ? new->inst->image_fingerprint : inst->record->image_fingerprint);
	if (new)
		strv_push(&job->snapshots, new->volume);
	else
		job->volume = xstrdup(inst->record->name);
	return 0;
}

/* A file that has no name. Returns: descriptor or -errno. */
static int open_result(const struct core *core, struct err *err)
{
	int fd = open(core->dirs.state, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? err_set(err, -errno, "make a file in \"%s\"", core->dirs.state) : fd;
}

int snapshot_diff(struct inst *inst, const char *name, const char *to, int *ret_fd,
		  struct op **ret_op, struct err *err)
{
	struct diff_args *args;
	_cleanup_(fd_closep) int fd = -EBADF;
	struct op *op;
	int r = core_check_open(inst->core, err);

	if (r < 0)
		return r;
	args = xcalloc(1, sizeof(*args));
	args->out_fd = -EBADF;
	r = fill_job(inst, name, to, &args->job, err);
	if (r == 0)
		r = fd = open_result(inst->core, err);
	if (r < 0) {
		free_args(args);
		return r;
	}
	args->out_fd = fd_copy(fd, 3);
	op = op_new(inst->core, OP_TASK, "Comparing snapshots", args, free_args, err);
	if (!op)
		return -EBUSY;
	snapshot_add_resource(op, inst, name);
	op_add_table(op, &diff_table);
	op_start(op);
	*ret_fd = TAKE_FD(fd);
	*ret_op = op;
	return 0;
}

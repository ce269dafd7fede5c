/* core/usage.c - see usage.h */
#include "core/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/job.h"
#include "core/op.h"
#include "core/pool.h"
#include "os/btrfs_quota.h"
#include "os/fd.h"
#include "os/path.h"
#include "os/prjquota.h"

static int of_project(int fd, struct root_usage *ret_usage)
{
	struct prjquota quota;
	bool inherits;
	uint32_t id;
	int r = prjquota_get(fd, &id, &inherits);

	if (r == 0 && !prjquota_is_ours(id))
		r = -ENODATA; /* made when the pool had no quotas */
	if (r == 0)
		r = prjquota_read(fd, id, &quota);
	if (r == 0)
		*ret_usage = (struct root_usage){ quota.used_bytes, quota.limit_bytes };
	return r;
}

static int of_subvolume(int fd, struct root_usage *ret_usage)
{
	struct btrfs_quota quota = { 0 };
	int r = btrfs_quota_read(fd, &quota);

	if (r == 0)
		*ret_usage = (struct root_usage){ quota.used_bytes, quota.limit_bytes };
	return r;
}

int root_usage(const struct inst *inst, struct root_usage *ret_usage)
{
	_cleanup_(freep) char *dir = NULL, *path = NULL;
	_cleanup_(fd_closep) int pool_fd = -EBADF;
	_cleanup_(fd_closep) int fd = -EBADF;
	struct pool_record *pool = NULL;
	bool btrfs;

	if (!inst->stored || pool_find(inst->core, inst->record->pool, &pool, NULL) < 0 ||
	    !str_after(pool_capabilities(pool).quotas, "yes: "))
		return -EOPNOTSUPP;
	btrfs = streq(pool->driver, "btrfs");
	dir = pool_dir(inst->core, pool);
	path = xasprintf("instances/%s%s", inst->record->name, btrfs ? "/rootfs" : "");
	pool_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = pool_fd < 0 ? -errno : path_open_plain(pool_fd, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	return btrfs ? of_subvolume(fd, ret_usage) : of_project(fd, ret_usage);
}

/* ---- walking through it ---- */

struct measuring {
	enum job_kind kind;
	char *pool, *volume;
};

static void free_measuring(void *data)
{
	struct measuring *m = data;

	free(m->pool);
	free(m->volume);
	free(m);
}

static enum op_next measured(struct op *op, const struct job_report *report)
{
	if (op->err.code == 0)
		strmap_set(&op->metadata, "size", strmap_get(&report->result, "size") ?: "0");
	return op_result(op->err.code);
}

static enum op_next step_measure(struct op *op)
{
	const struct measuring *m = op->args;
	struct job job = { .kind = m->kind };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, m->pool, &job, &op->err) == 0) {
		job.volume = xstrdup(m->volume);
		next = job_run(op, &job, -EBADF, measured);
	}
	wire_free(&job_schema, &job);
	return next;
}

static const struct op_step measure_steps[] = {
	{ "measure", step_measure, NULL },
	{ 0 },
};
static const struct op_table measure_table = { "volume-measure", measure_steps };

struct op *usage_op_new(struct core *core, const char *pool, enum job_kind kind, const char *volume,
			struct err *err)
{
	struct measuring *m;
	struct op *op;

	if (core_check_open(core, err) < 0)
		return NULL;
	m = xcalloc(1, sizeof(*m));
	*m = (struct measuring){ kind, xstrdup(pool), xstrdup(volume) };
	op = op_new(core, OP_TASK, "Measuring storage volume", m, free_measuring, err);
	if (op)
		op_add_table(op, &measure_table);
	return op;
}

int root_measure(const struct inst *inst, struct op **ret_op, struct err *err)
{
	struct op *op = usage_op_new(inst->core, inst->record->pool, JOB_INSTANCE_USAGE,
				     inst->record->name, err);

	if (!op)
		return -EBUSY;
	op_add_resource(op, "instances", inst->record->name);
	op_start(op);
	*ret_op = op;
	return 0;
}

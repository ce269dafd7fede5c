/* core/usage.c - see usage.h */
#include "core/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
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

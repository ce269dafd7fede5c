/* storage/dir.c - see dir.h */
#include "storage/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "os/fd.h"
#include "os/path.h"
#include "os/probe.h"
#include "os/tree_copy.h"
#include "storage/copy.h"
#include "storage/pool.h"
#include "storage/quota.h"
#include "storage/volume.h"

static int dir_pool_probe(struct pool *pool, const struct storage_ids *ids, struct err *err)
{
	return probe_layers(pool->dir_fd, pool->dir, ids->base, ids->count, false, err);
}

static bool ask_pool(void *data)
{
	return pool_cancelled(data);
}

static int copy_image(struct pool *pool, const char *image, int root_fd, struct err *err)
{
	_cleanup_(fd_closep) int src_fd = volume_open_image_root(pool, image, err);
	char failed[PATH_MAX] = "";

	if (src_fd < 0)
		return src_fd;
	int r = tree_copy(src_fd, root_fd, ask_pool, pool, failed);
	if (r == -ECANCELED)
		return err_kind(err, ERR_CANCELLED, "cancelled");
	if (r < 0)
		return err_set(err, r, "copy \"/%s\" of image \"%.12s\"", failed, image);
	return 0;
}

static int fill(struct pool *pool, struct stage *stage, const char *image, struct err *err)
{
	if (mkdirat(stage->dir_fd, "rootfs", 0755) < 0)
		return err_set(err, -errno, "make \"%s/%s/rootfs\"", pool->dir, stage->name);
	if (!image)
		return 0;
	_cleanup_(fd_closep) int root_fd =
		path_open_plain(stage->dir_fd, "rootfs", O_RDONLY | O_DIRECTORY, 0);
	if (root_fd < 0)
		return err_set(err, root_fd, "open \"%s/%s/rootfs\"", pool->dir, stage->name);
	return copy_image(pool, image, root_fd, err);
}

static int dir_volume_create(struct pool *pool, const char *volume, const char *image,
			     uint64_t quota_bytes, struct err *err)
{
	const struct volume_request request = {
		.volume = volume,
		.image = image,
		.quota_bytes = quota_bytes,
		.sync = image != NULL,
	};

	return volume_create_dir(pool, &request, fill, err);
}

const struct storage_driver dir_driver = {
	.name = "dir",
	.caps = 0,
	.pool_probe = dir_pool_probe,
	.image_begin = volume_image_begin,
	.image_commit = volume_image_commit,
	.image_abort = volume_stage_drop,
	.volume_create = dir_volume_create,
	.volume_rename = volume_rename_dir,
	.volume_hide = volume_hide_dir,
	.volume_free = volume_free_dir,
	.trash_empty = volume_empty_trash,
	.volume_exists = volume_exists_dir,
	.copy_begin = copy_begin_dir,
	.copy_fill = copy_fill_dir,
	.copy_commit = copy_commit_dir,
	.copy_abort = copy_abort_dir,
	.volume_usage = copy_usage_dir,
	.pool_quota = quota_probe_dir,
	.volume_limit = quota_limit_dir,
};

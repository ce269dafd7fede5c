/* storage/overlay.c - see overlay.h */
#include "storage/overlay.h"

#include <errno.h>
#include <fcntl.h>
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

static int overlay_pool_probe(struct pool *pool, const struct storage_ids *ids, struct err *err)
{
	static const char *const dirs[] = { "lower", "upper", "work", "merged" };
	struct stage stage;

	int r = volume_stage_begin(pool, &stage, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(dirs) && r == 0; i++)
		if (mkdirat(stage.dir_fd, dirs[i], 0755) < 0)
			r = err_set(err, -errno, "make \"%s/%s/%s\"", pool->dir, stage.name,
				    dirs[i]);
	if (r == 0)
		r = probe_layers(stage.dir_fd, pool->dir, ids->base, ids->count, true, err);
	(void)volume_stage_drop(pool, &stage, NULL);
	return r;
}

/* The merged root shows the upper layer's owner, mode and xattrs: the image's. */
static int make_upper(struct pool *pool, struct stage *stage, const char *image, struct err *err)
{
	_cleanup_(fd_closep) int lower_fd = volume_open_image_root(pool, image, err);

	if (lower_fd < 0)
		return lower_fd;
	if (mkdirat(stage->dir_fd, "upper", 0755) < 0 || mkdirat(stage->dir_fd, "work", 0700) < 0)
		return err_set(err, -errno, "make \"%s/%s/upper\"", pool->dir, stage->name);
	_cleanup_(fd_closep) int upper_fd =
		path_open_plain(stage->dir_fd, "upper", O_RDONLY | O_DIRECTORY, 0);
	int r = upper_fd < 0 ? upper_fd : tree_copy_attributes(lower_fd, upper_fd);
	if (r < 0)
		return err_set(err, r, "copy the root directory's attributes");
	return 0;
}

static int fill(struct pool *pool, struct stage *stage, const char *image, struct err *err)
{
	if (image)
		return make_upper(pool, stage, image, err);
	if (mkdirat(stage->dir_fd, "rootfs", 0755) < 0)
		return err_set(err, -errno, "make \"%s/%s/rootfs\"", pool->dir, stage->name);
	return 0;
}

static int overlay_volume_create(struct pool *pool, const char *volume, const char *image,
				 uint64_t quota_bytes, struct err *err)
{
	const struct volume_request request = {
		.volume = volume,
		.image = image,
		.quota_bytes = quota_bytes,
		/* no data, so nothing to write out: the database's commit carries the names along */
		.sync = false,
	};

	return volume_create_dir(pool, &request, fill, err);
}

const struct storage_driver overlay_driver = {
	.name = "overlay",
	.caps = STORAGE_CAP_SHARED_IMAGE,
	.pool_probe = overlay_pool_probe,
	.image_begin = volume_image_begin,
	.image_commit = volume_image_commit,
	.image_abort = volume_stage_drop,
	.volume_create = overlay_volume_create,
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

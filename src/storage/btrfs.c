/* storage/btrfs.c - see btrfs.h */
#include "storage/btrfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/btrfs.h"
#include "os/btrfs_quota.h"
#include "os/fd.h"
#include "os/mount.h"
#include "os/path.h"
#include "os/probe.h"
#include "storage/btrfs_limit.h"
#include "storage/copy.h"
#include "storage/pool.h"
#include "storage/quota.h"
#include "storage/volume.h"

#define ROOT "rootfs"

enum {
	TRIAL_BYTES = 8 << 20
};

static int open_dir(int dir_fd, const char *path)
{
	return path_open_plain(dir_fd, path, O_RDONLY | O_DIRECTORY, 0);
}

/* The root below @dir_fd: what tree_remove() need not walk. Nothing else is lost without it. */
static void destroy_root(int dir_fd, const char *path)
{
	_cleanup_(fd_closep) int fd = open_dir(dir_fd, path);
	_cleanup_(fd_closep) int root_fd = fd < 0 ? -EBADF : open_dir(fd, ROOT);
	uint64_t id = 0;

	if (root_fd < 0 || btrfs_subvol_id(root_fd, &id) != 0)
		return;
	(void)btrfs_quota_limit(fd, root_fd, 0); /* deleting takes space first */
	if (btrfs_subvol_destroy(fd, ROOT) == 0)
		(void)btrfs_quota_forget(fd, id); /* what is left of it limits nobody */
}

/* ---- stages ---- */

static int drop_stage(struct pool *pool, struct stage *stage, struct err *err)
{
	destroy_root(stage->dir_fd, "."); /* else it goes with the rest */
	return volume_stage_drop(pool, stage, err);
}

/* A new stage with an empty root, or a snapshot of @src_fd as root. */
static int begin_stage(struct pool *pool, int src_fd, struct stage *ret_stage, struct err *err)
{
	struct stage stage;
	int r = volume_stage_begin(pool, &stage, err);

	if (r < 0)
		return r;
	r = src_fd < 0 ? btrfs_subvol_create(stage.dir_fd, ROOT)
		       : btrfs_snapshot(src_fd, stage.dir_fd, ROOT);
	if (r == 0)
		stage.root_fd = r = open_dir(stage.dir_fd, ROOT);
	if (r >= 0 && src_fd < 0 && fchmod(stage.root_fd, 0755) < 0)
		r = -errno;
	if (r < 0) {
		(void)err_set(err, r, "make subvolume \"%s/%s/" ROOT "\"", pool->dir, stage.name);
		(void)drop_stage(pool, &stage, NULL);
		return r;
	}
	*ret_stage = stage;
	return 0;
}

static int btrfs_pool_probe(struct pool *pool, const struct storage_ids *ids, struct err *err)
{
	char fs_name[32];
	struct stage stage;

	if (!btrfs_is(pool->dir_fd))
		return err_kind(err, ERR_UNSUPPORTED,
				"\"%s\" is on %s, the driver btrfs needs a btrfs", pool->dir,
				mount_fs_name(pool->dir_fd, fs_name));
	int r = begin_stage(pool, -EBADF, &stage, err);
	if (r < 0)
		return r;
	r = probe_layers(stage.root_fd, pool->dir, ids->base, ids->count, false, err);
	(void)drop_stage(pool, &stage, NULL);
	return r;
}

/* Drops the stage when it fails. @bytes 0: nothing to do. */
static int limit_stage(struct pool *pool, struct stage *stage, const char *what, uint64_t bytes,
		       struct err *err)
{
	int r = bytes ? btrfs_limit_root(pool, stage->root_fd, what, bytes, err) : 0;

	if (r < 0)
		(void)drop_stage(pool, stage, NULL);
	return r;
}

/* ---- images ---- */

static int btrfs_image_begin(struct pool *pool, const char *image, struct stage *ret_stage,
			     struct err *err)
{
	int r = volume_exists_dir(pool, VOLUME_IMAGE, image, err);

	if (r == 0)
		r = begin_stage(pool, -EBADF, ret_stage, err);
	if (r == 0)
		ret_stage->image = xstrdup(image);
	return r;
}

/* ---- volumes ---- */

static int btrfs_volume_create(struct pool *pool, const char *volume, const char *image,
			       uint64_t quota_bytes, struct err *err)
{
	_cleanup_(fd_closep) int image_fd = -EBADF;
	struct stage stage;

	int r = volume_exists_dir(pool, VOLUME_INSTANCE, volume, err);
	if (r != 0)
		return r;
	if (image) {
		r = volume_check_name(VOLUME_IMAGE, image, err);
		if (r == 0)
			r = image_fd = volume_open_image_root(pool, image, err);
		if (r < 0)
			return r;
	}
	if (pool_cancelled(pool))
		return err_kind(err, ERR_CANCELLED, "cancelled");
	r = begin_stage(pool, image_fd, &stage, err);
	if (r == 0)
		r = limit_stage(pool, &stage, "a new volume", quota_bytes, err);
	return r < 0 ? r : volume_stage_publish(pool, &stage, VOLUME_INSTANCE, volume, true, err);
}

/* Returns: descriptor of the root of a volume. */
static int open_root(struct pool *pool, enum volume_kind kind, const char *name, int *ret_dir_fd,
		     struct err *err)
{
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	int r = volume_check_name(kind, name, err);

	if (r < 0)
		return r;
	dir_fd = volume_open(pool, kind, name);
	if (dir_fd == -ENOENT)
		return err_kind(err, ERR_NOT_FOUND, "%s \"%s\" not found", volume_kind_word(kind),
				name);
	r = dir_fd < 0 ? dir_fd : open_dir(dir_fd, ROOT);
	if (r < 0)
		return err_set(err, r, "open %s \"%s\"", volume_kind_word(kind), name);
	if (ret_dir_fd)
		*ret_dir_fd = TAKE_FD(dir_fd);
	return r;
}

/* ---- trash ---- */

static int btrfs_volume_free(struct pool *pool, const char *trash, struct err *err)
{
	_cleanup_(fd_closep) int trash_fd = open_dir(pool->dir_fd, "trash");

	if (trash_fd >= 0)
		destroy_root(trash_fd, trash);
	return volume_free_dir(pool, trash, err);
}

/* Whether a living process works in it. */
static bool is_held(int dir_fd, const char *name)
{
	_cleanup_(fd_closep) int fd = open_dir(dir_fd, name);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
}

static void destroy_roots(struct pool *pool, const char *path, const char *prefix)
{
	int fd = open_dir(pool->dir_fd, path);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		if (!streq(entry->d_name, ".") && !streq(entry->d_name, "..") &&
		    str_after(entry->d_name, prefix) && !is_held(dirfd(dir), entry->d_name))
			destroy_root(dirfd(dir), entry->d_name);
	(void)closedir(dir);
}

static int btrfs_trash_empty(struct pool *pool, struct err *err)
{
	destroy_roots(pool, "trash", "");
	destroy_roots(pool, ".", ".new-");
	return volume_empty_trash(pool, err);
}

/* ---- snapshots ---- */

static int btrfs_copy_abort(struct pool *pool, const char *stage, struct err *err)
{
	char name[STAGE_NAME_LEN];
	int r = copy_stage_name(stage, name, err);

	if (r < 0)
		return r;
	destroy_root(pool->dir_fd, name);
	return copy_abort_dir(pool, stage, err);
}

/*
 * A snapshot is as of one moment whoever writes meanwhile, so the later pass just makes another one.
 */
static int fill_stage(struct pool *pool, const struct copy_request *request, const char *name,
		      int src_fd, struct err *err)
{
	_cleanup_(fd_closep) int fd = open_dir(pool->dir_fd, name);
	_cleanup_(fd_closep) int root_fd = -EBADF;
	int r;

	if (fd < 0)
		return err_set(err, fd, "open \"%s/%s\"", pool->dir, name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, -errno, "lock \"%s/%s\"", pool->dir, name);
	r = btrfs_subvol_destroy(fd, ROOT);
	if (r >= 0)
		r = btrfs_snapshot(src_fd, fd, ROOT);
	if (r >= 0)
		r = root_fd = open_dir(fd, ROOT);
	return r < 0 ? err_set(err, r, "snapshot into \"%s/%s\"", pool->dir, name)
		     : copy_forget(pool, request, root_fd, false, err);
}

static int fill_begun(struct pool *pool, const char *name, struct copy_stage *stage,
		      struct err *err)
{
	int r;

	stage->fd = open_dir(pool->dir_fd, name);
	if (stage->fd < 0 || flock(stage->fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, stage->fd < 0 ? stage->fd : -errno, "open and lock \"%s/%s\"",
			       pool->dir, name);
	r = btrfs_subvol_create(stage->fd, ROOT);
	if (r == 0)
		stage->root_fd = r = open_dir(stage->fd, ROOT);
	if (r >= 0)
		r = fchmod(stage->root_fd, 0755) < 0 ? -errno : 0;
	return r < 0 ? err_set(err, r, "make the root of \"%s/%s\"", pool->dir, name) : 0;
}

static int btrfs_copy_begin(struct pool *pool, const char *stage, struct copy_stage *ret_stage,
			    struct err *err)
{
	struct copy_stage begun = { .fd = -EBADF, .root_fd = -EBADF };
	char name[STAGE_NAME_LEN];
	int r = copy_stage_name(stage, name, err);

	if (r < 0)
		return r;
	if (mkdirat(pool->dir_fd, name, 0700) < 0)
		return err_set(err, -errno, "make \"%s/%s\"", pool->dir, name);
	r = fill_begun(pool, name, &begun, err);
	if (r == 0) {
		*ret_stage = begun;
		return 0;
	}
	(void)fd_close(begun.fd);
	(void)fd_close(begun.root_fd);
	(void)btrfs_copy_abort(pool, stage, NULL); /* the reason counts */
	return r;
}

/* It takes no part: all blocks are shared with the source. But it has to be there. */
static int check_older(struct pool *pool, const struct copy_request *request, struct err *err)
{
	_cleanup_(fd_closep) int fd = -EBADF;

	if (!request->older)
		return 0;
	fd = copy_open_volume(pool, VOLUME_INSTANCE, request->older, err);
	return MIN(fd, 0);
}

static int btrfs_copy_fill(struct pool *pool, const struct copy_request *request, struct err *err)
{
	_cleanup_(fd_closep) int src_fd = -EBADF;
	char name[STAGE_NAME_LEN];
	int r = copy_stage_name(request->stage, name, err);

	if (r == 0)
		r = src_fd = open_root(pool, request->kind, request->volume, NULL, err);
	if (r < 0)
		return r;
	if (request->pass == COPY_REST) {
		if (faccessat(pool->dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return err_kind(err, ERR_NOT_FOUND, "the first copy of \"%s\" is gone",
					request->volume);
		return fill_stage(pool, request, name, src_fd, err);
	}
	r = check_older(pool, request, err);
	if (r == 0)
		r = btrfs_copy_abort(pool, request->stage, err);
	if (r == 0)
		r = copy_check_space(pool, err);
	if (r == 0 && pool_cancelled(pool))
		r = err_kind(err, ERR_CANCELLED, "cancelled");
	if (r < 0)
		return r;
	if (mkdirat(pool->dir_fd, name, 0700) < 0)
		return err_set(err, -errno, "make \"%s/%s\"", pool->dir, name);
	r = fill_stage(pool, request, name, src_fd, err);
	if (r < 0)
		(void)btrfs_copy_abort(pool, request->stage, NULL); /* the reason counts */
	return r;
}

/* ---- quotas ---- */

static int btrfs_pool_quota(struct pool *pool, const char **ret_how, struct err *err)
{
	struct stage stage;
	int r = btrfs_quota_words(pool, ret_how, err);

	if (r == 0)
		r = begin_stage(pool, -EBADF, &stage, err);
	if (r < 0)
		return r;
	r = btrfs_limit_root(pool, stage.root_fd, "an empty volume", TRIAL_BYTES, err);
	(void)drop_stage(pool, &stage, NULL);
	return r;
}

static int btrfs_volume_limit(struct pool *pool, const struct volume_limit *limit, struct err *err)
{
	_cleanup_(fd_closep) int dir_fd = quota_open(pool, limit, err);
	_cleanup_(fd_closep) int root_fd = dir_fd < 0 ? dir_fd : open_dir(dir_fd, ROOT);
	int r = dir_fd < 0 ? dir_fd : 0;

	if (r == 0 && root_fd < 0)
		r = err_set(err, root_fd, "open the root of the volume");
	return r < 0 ? r : btrfs_limit_root(pool, root_fd, "the volume", limit->bytes, err);
}

const struct storage_driver btrfs_driver = {
	.name = "btrfs",
	.caps = STORAGE_CAP_SNAPSHOT,
	.pool_probe = btrfs_pool_probe,
	.image_begin = btrfs_image_begin,
	.image_commit = volume_image_commit,
	.image_abort = drop_stage,
	.volume_create = btrfs_volume_create,
	.volume_rename = volume_rename_dir,
	.volume_hide = volume_hide_dir,
	.volume_free = btrfs_volume_free,
	.trash_empty = btrfs_trash_empty,
	.volume_exists = volume_exists_dir,
	.copy_begin = btrfs_copy_begin,
	.copy_fill = btrfs_copy_fill,
	.copy_commit = copy_commit_dir,
	.copy_abort = btrfs_copy_abort,
	.volume_usage = copy_usage_dir,
	.pool_quota = btrfs_pool_quota,
	.volume_limit = btrfs_volume_limit,
};

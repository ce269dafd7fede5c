/* storage/copy_commit.c - see copy.h: what becomes of a stage that is filled */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "os/fd.h"
#include "os/path.h"
#include "os/tree_remove.h"
#include "os/tree_usage.h"
#include "storage/copy.h"
#include "storage/pool.h"
#include "storage/quota.h"
#include "storage/volume.h"

enum {
	PATH_LEN = 512
};

bool copy_borrows(int stage_fd)
{
	_cleanup_(fd_closep) int fd =
		path_open_plain(stage_fd, copy_content_of(stage_fd), O_RDONLY | O_DIRECTORY, 0);

	return fd >= 0 && quota_is_project(fd) && !quota_is_project(stage_fd);
}

static int publish(struct pool *pool, const char *stage, enum volume_kind kind, const char *name,
		   bool replace, struct err *err)
{
	_cleanup_(fd_closep) int parent_fd =
		path_open_plain(pool->dir_fd, volume_kind_dir(kind), O_RDONLY | O_DIRECTORY, 0);
	unsigned int flags = replace ? RENAME_EXCHANGE : RENAME_NOREPLACE;

	if (parent_fd < 0)
		return err_set(err, parent_fd, "open \"%s/%s\"", pool->dir, volume_kind_dir(kind));
	if (renameat2(pool->dir_fd, stage, parent_fd, name, flags) < 0)
		return err_set(err, -errno, "finish %s \"%s\"", volume_kind_word(kind), name);
	if (fsync(parent_fd) < 0)
		return err_set(err, -errno, "write out %s \"%s\"", volume_kind_word(kind), name);
	return 0;
}

/* What the exchange left under the stage's name. */
static int bury(struct pool *pool, const char *stage, char ret_trash[UUID_LEN], struct err *err)
{
	char path[PATH_LEN], uuid[UUID_LEN];

	(void)snprintf(path, sizeof(path), "trash/%s", uuid_new(uuid));
	if (renameat2(pool->dir_fd, stage, pool->dir_fd, path, RENAME_NOREPLACE) < 0)
		return err_set(err, -errno, "move what was replaced to the trash");
	memcpy(ret_trash, uuid, UUID_LEN);
	return 0;
}

/* The unused volume to be replaced. Returns: 0 with *@ret_fd, -EBADF when there is none. */
static int open_target(struct pool *pool, enum volume_kind kind, const char *name, int *ret_fd,
		       struct err *err)
{
	_cleanup_(fd_closep) int fd = volume_open(pool, kind, name);
	int r;

	*ret_fd = -EBADF;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return err_set(err, fd, "open %s \"%s\"", volume_kind_word(kind), name);
	r = volume_check_unused(fd, kind, name, err);
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

/* Content that is in the volume's project already can only change places with the content there. */
static int exchange_content(int stage_fd, int volume_fd, const char *name, struct err *err)
{
	const char *content = copy_content_of(stage_fd);

	return renameat2(stage_fd, content, volume_fd, content, RENAME_EXCHANGE) < 0 ||
			       fsync(volume_fd) < 0
		       ? err_set(err, -errno, "replace the content of volume \"%s\"", name)
		       : 0;
}

int copy_commit_dir(struct pool *pool, const char *stage, enum volume_kind kind, const char *name,
		    char ret_trash[UUID_LEN], struct err *err)
{
	_cleanup_(fd_closep) int stage_fd = -EBADF;
	_cleanup_(fd_closep) int old_fd = -EBADF;
	char stage_dir[STAGE_NAME_LEN];
	int r = volume_check_name(kind, name, err);

	if (r == 0)
		r = copy_stage_name(stage, stage_dir, err);
	if (r == 0)
		r = open_target(pool, kind, name, &old_fd, err);
	if (r < 0)
		return r;
	ret_trash[0] = '\0';
	stage_fd = copy_open_stage(pool, stage_dir);
	if (stage_fd == -ENOENT && old_fd >= 0 && kind != VOLUME_INSTANCE)
		return 1;
	if (stage_fd < 0)
		return err_set(err, stage_fd, "open \"%s/%s\"", pool->dir, stage_dir);
	if (syncfs(stage_fd) < 0)
		return err_set(err, -errno, "write out \"%s\"", pool->dir);
	if (old_fd >= 0 && copy_borrows(stage_fd))
		r = exchange_content(stage_fd, old_fd, name, err);
	else
		r = publish(pool, stage_dir, kind, name, old_fd >= 0 && kind != VOLUME_SNAPSHOT,
			    err);
	return r < 0 || old_fd < 0 ? r : bury(pool, stage_dir, ret_trash, err);
}

int copy_abort_dir(struct pool *pool, const char *stage, struct err *err)
{
	char name[STAGE_NAME_LEN];
	int r = copy_stage_name(stage, name, err);

	if (r < 0)
		return r;
	quota_forget(pool->dir_fd, name);
	/* never asked whether to give up: this is what happens after that question */
	r = tree_remove(pool->dir_fd, name, NULL, NULL);
	return r < 0 ? err_set(err, r, "remove \"%s/%s\"", pool->dir, name) : 0;
}

/* Measuring takes no space. */
static bool ask_owner(void *data)
{
	return pool_cancelled(data);
}

int copy_usage_dir(struct pool *pool, enum volume_kind kind, const char *name, uint64_t *ret_bytes,
		   struct err *err)
{
	_cleanup_(fd_closep) int fd = copy_open_volume(pool, kind, name, err);
	int r;

	if (fd < 0)
		return fd;
	if (quota_usage(fd, ret_bytes) == 0)
		return 0;
	r = tree_usage(fd, ask_owner, pool, ret_bytes);
	return r < 0 ? err_set(err, r, "measure %s \"%s\"", volume_kind_word(kind), name) : 0;
}

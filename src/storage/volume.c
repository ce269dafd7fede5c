/* storage/volume.c - see volume.h */
#include "storage/volume.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"
#include "os/path.h"
#include "os/tree_remove.h"
#include "spec/names.h"
#include "storage/pool.h"
#include "storage/quota.h"

enum {
	PATH_LEN = 512
};

struct kind_row {
	const char *dir;
	const char *word;
	enum name_kind names;
};

static const struct kind_row kinds[] = {
	[VOLUME_IMAGE] = { "images", "image volume", NAME_FINGERPRINT },
	[VOLUME_INSTANCE] = { "instances", "instance volume", NAME_VOLUME },
	[VOLUME_SNAPSHOT] = { "snapshots", "snapshot volume", NAME_VOLUME },
	[VOLUME_CUSTOM] = { "custom", "custom volume", NAME_VOLUME },
};
static_assert(ARRAY_LEN(kinds) == VOLUME_KIND_MAX, "one row per kind");

const char *volume_kind_dir(enum volume_kind kind)
{
	return kinds[kind].dir;
}

const char *volume_kind_word(enum volume_kind kind)
{
	return kinds[kind].word;
}

int volume_check_name(enum volume_kind kind, const char *name, struct err *err)
{
	int r = name_validate(kinds[kind].names, name, err);
	if (r < 0)
		return r;
	if (!path_is_plain(name) || strchr(name, '/'))
		return err_kind(err, ERR_INVALID, "%s \"%s\": not a name", kinds[kind].word, name);
	return 0;
}

static void format_path(char out[PATH_LEN], enum volume_kind kind, const char *name)
{
	(void)snprintf(out, PATH_LEN, "%s/%s", kinds[kind].dir, name);
}

int volume_open(struct pool *pool, enum volume_kind kind, const char *name)
{
	char path[PATH_LEN];

	format_path(path, kind, name);
	return path_open_plain(pool->dir_fd, path, O_RDONLY | O_DIRECTORY, 0);
}

int volume_open_image_root(struct pool *pool, const char *image, struct err *err)
{
	_cleanup_(fd_closep) int image_fd = volume_open(pool, VOLUME_IMAGE, image);
	int root_fd = image_fd;

	if (image_fd >= 0)
		root_fd = path_open_plain(image_fd, "rootfs", O_RDONLY | O_DIRECTORY, 0);
	if (root_fd == -ENOENT)
		return err_kind(err, ERR_NOT_FOUND, "image \"%s\" is not unpacked in pool \"%s\"",
				image, pool->name);
	return root_fd < 0 ? err_set(err, root_fd, "open image \"%s\"", image) : root_fd;
}

int volume_exists_dir(struct pool *pool, enum volume_kind kind, const char *name, struct err *err)
{
	int r = volume_check_name(kind, name, err);
	if (r < 0)
		return r;
	_cleanup_(fd_closep) int fd = volume_open(pool, kind, name);
	if (fd >= 0)
		return 1;
	return fd == -ENOENT ? 0 : err_set(err, fd, "open %s \"%s\"", kinds[kind].word, name);
}

static void stage_done(struct stage *stage)
{
	stage->root_fd = fd_close(stage->root_fd);
	stage->dir_fd = fd_close(stage->dir_fd);
	free(stage->image);
	stage->image = NULL;
}

int volume_stage_begin(struct pool *pool, struct stage *ret_stage, struct err *err)
{
	struct stage stage = { .dir_fd = -EBADF, .root_fd = -EBADF };
	char uuid[UUID_LEN];

	(void)snprintf(stage.name, sizeof(stage.name), ".new-%s", uuid_new(uuid));
	if (mkdirat(pool->dir_fd, stage.name, 0700) < 0)
		return err_set(err, -errno, "make \"%s/%s\"", pool->dir, stage.name);
	stage.dir_fd = path_open_plain(pool->dir_fd, stage.name, O_RDONLY | O_DIRECTORY, 0);
	if (stage.dir_fd < 0 || flock(stage.dir_fd, LOCK_EX | LOCK_NB) < 0) {
		int r = err_set(err, stage.dir_fd < 0 ? stage.dir_fd : -errno,
				"open and lock \"%s/%s\"", pool->dir, stage.name);
		(void)unlinkat(pool->dir_fd, stage.name, AT_REMOVEDIR);
		stage_done(&stage);
		return r;
	}
	*ret_stage = stage;
	return 0;
}

static int remove_stage(struct pool *pool, const char *name, struct err *err)
{
	quota_forget(pool->dir_fd, name);
	/* never asked whether to give up: this is what happens after that question */
	int r = tree_remove(pool->dir_fd, name, NULL, NULL);
	if (r < 0)
		return err_set(err, r, "remove \"%s/%s\"", pool->dir, name);
	return 0;
}

int volume_stage_drop(struct pool *pool, struct stage *stage, struct err *err)
{
	int r = remove_stage(pool, stage->name, err);

	stage_done(stage);
	return r;
}

static int rename_stage(struct pool *pool, struct stage *stage, enum volume_kind kind,
			const char *name, bool sync)
{
	char path[PATH_LEN];

	if (sync && syncfs(stage->dir_fd) < 0)
		return -errno;
	format_path(path, kind, name);
	_cleanup_(fd_closep) int parent_fd =
		path_open_plain(pool->dir_fd, kinds[kind].dir, O_RDONLY | O_DIRECTORY, 0);
	if (parent_fd < 0)
		return parent_fd;
	if (renameat2(pool->dir_fd, stage->name, parent_fd, name, RENAME_NOREPLACE) < 0)
		return -errno;
	return sync && fsync(parent_fd) < 0 ? -errno : 0;
}

int volume_stage_publish(struct pool *pool, struct stage *stage, enum volume_kind kind,
			 const char *name, bool sync, struct err *err)
{
	int r = rename_stage(pool, stage, kind, name, sync);

	if (r == -EEXIST) {
		r = volume_stage_drop(pool, stage, err);
		return r < 0 ? r : 1;
	}
	if (r < 0) {
		(void)err_set(err, r, "finish %s \"%s\"", kinds[kind].word, name);
		(void)volume_stage_drop(pool, stage, NULL);
		return r;
	}
	stage_done(stage);
	return 0;
}

int volume_image_begin(struct pool *pool, const char *image, struct stage *ret_stage,
		       struct err *err)
{
	struct stage stage;

	int r = volume_exists_dir(pool, VOLUME_IMAGE, image, err);
	if (r != 0)
		return r;
	r = volume_stage_begin(pool, &stage, err);
	if (r < 0)
		return r;
	/* the image's own root entry sets the final mode */
	if (mkdirat(stage.dir_fd, "rootfs", 0755) < 0 ||
	    fchmodat(stage.dir_fd, "rootfs", 0755, 0) < 0)
		r = -errno;
	else
		stage.root_fd = r =
			path_open_plain(stage.dir_fd, "rootfs", O_RDONLY | O_DIRECTORY, 0);
	if (r < 0) {
		(void)err_set(err, r, "make \"%s/%s/rootfs\"", pool->dir, stage.name);
		(void)volume_stage_drop(pool, &stage, NULL);
		return r;
	}
	stage.image = xstrdup(image);
	*ret_stage = stage;
	return 0;
}

int volume_image_commit(struct pool *pool, struct stage *stage, struct err *err)
{
	_cleanup_(freep) char *image = xstrdup(stage->image);

	return volume_stage_publish(pool, stage, VOLUME_IMAGE, image, true, err);
}

/* A monitor locks the volume's directory, or the root file system in it. */
int volume_check_unused(int dir_fd, enum volume_kind kind, const char *name, struct err *err)
{
	static const char *const locked[] = { ".", "rootfs" };

	for (size_t i = 0; i < ARRAY_LEN(locked); i++) {
		_cleanup_(fd_closep) int fd =
			path_open_plain(dir_fd, locked[i], O_RDONLY | O_DIRECTORY, 0);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
			return err_kind(err, ERR_CONFLICT, "%s \"%s\" is in use", kinds[kind].word,
					name);
	}
	return 0;
}

int volume_hide_dir(struct pool *pool, enum volume_kind kind, const char *name,
		    char ret_trash[UUID_LEN], struct err *err)
{
	const char *word = kinds[kind].word;
	char from[PATH_LEN], to[PATH_LEN], uuid[UUID_LEN];

	int r = volume_check_name(kind, name, err);
	if (r < 0)
		return r;
	_cleanup_(fd_closep) int dir_fd = volume_open(pool, kind, name);
	if (dir_fd == -ENOENT)
		return 1;
	if (dir_fd < 0)
		return err_set(err, dir_fd, "open %s \"%s\"", word, name);
	r = volume_check_unused(dir_fd, kind, name, err);
	if (r < 0)
		return r;
	format_path(from, kind, name);
	(void)snprintf(to, sizeof(to), "trash/%s", uuid_new(uuid));
	if (renameat2(pool->dir_fd, from, pool->dir_fd, to, RENAME_NOREPLACE) < 0)
		return err_set(err, -errno, "move %s \"%s\" to the trash", word, name);
	memcpy(ret_trash, uuid, UUID_LEN);
	return 0;
}

/* S3: nothing is there under the old name. */
static int renamed_already(struct pool *pool, const char *volume, const char *new_name,
			   struct err *err)
{
	int r = volume_exists_dir(pool, VOLUME_INSTANCE, new_name, err);

	return r != 0 ? r
		      : err_kind(err, ERR_NOT_FOUND, "instance volume \"%s\" not found", volume);
}

/* Durable when this returns: the database follows with a commit of its own. */
static int rename_in(int parent_fd, const char *volume, const char *new_name, struct err *err)
{
	if (renameat2(parent_fd, volume, parent_fd, new_name, RENAME_NOREPLACE) < 0) {
		if (errno == EEXIST)
			return err_kind(err, ERR_CONFLICT, "instance volume \"%s\" exists already",
					new_name);
		return err_set(err, -errno, "rename instance volume \"%s\" to \"%s\"", volume,
			       new_name);
	}
	return fsync(parent_fd) < 0 ? err_set(err, -errno, "sync the directory of volumes") : 0;
}

int volume_rename_dir(struct pool *pool, const char *volume, const char *new_name, struct err *err)
{
	int r = volume_check_name(VOLUME_INSTANCE, volume, err);
	if (r == 0)
		r = volume_check_name(VOLUME_INSTANCE, new_name, err);
	if (r < 0)
		return r;
	_cleanup_(fd_closep) int dir_fd = volume_open(pool, VOLUME_INSTANCE, volume);
	if (dir_fd == -ENOENT)
		return renamed_already(pool, volume, new_name, err);
	if (dir_fd < 0)
		return err_set(err, dir_fd, "open instance volume \"%s\"", volume);
	r = volume_check_unused(dir_fd, VOLUME_INSTANCE, volume, err);
	if (r < 0)
		return r;
	_cleanup_(fd_closep) int parent_fd =
		path_open_plain(pool->dir_fd, kinds[VOLUME_INSTANCE].dir, O_RDONLY | O_DIRECTORY,
				0);
	if (parent_fd < 0)
		return err_set(err, parent_fd, "open \"%s/instances\"", pool->dir);
	return rename_in(parent_fd, volume, new_name, err);
}

static bool ask_pool(void *data)
{
	return pool_cancelled(data);
}

int volume_free_dir(struct pool *pool, const char *trash, struct err *err)
{
	_cleanup_(fd_closep) int trash_fd =
		path_open_plain(pool->dir_fd, "trash", O_RDONLY | O_DIRECTORY, 0);

	if (trash_fd < 0)
		return err_set(err, trash_fd, "open \"%s/trash\"", pool->dir);
	quota_forget(trash_fd, trash);
	int r = tree_remove(trash_fd, trash, ask_pool, pool);
	if (r < 0)
		return err_set(err, r, "remove \"%s/trash/%s\"", pool->dir, trash);
	return 0;
}

/* Whether a living process works in the stage. */
static bool is_held(int dir_fd, const char *name)
{
	_cleanup_(fd_closep) int fd = path_open_plain(dir_fd, name, O_RDONLY | O_DIRECTORY, 0);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static int remove_matching(struct pool *pool, const char *path, const char *prefix)
{
	int fd = path_open_plain(pool->dir_fd, path, O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int first = 0;

	if (!dir)
		return fd < 0 ? fd : -errno;
	while (!pool_cancelled(pool) && (entry = readdir(dir))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, "..") ||
		    !str_after(entry->d_name, prefix) || is_held(dirfd(dir), entry->d_name))
			continue;
		quota_forget(dirfd(dir), entry->d_name);
		int r = tree_remove(dirfd(dir), entry->d_name, ask_pool, pool);
		if (r < 0 && first == 0)
			first = r;
	}
	(void)closedir(dir);
	return first;
}

int volume_empty_trash(struct pool *pool, struct err *err)
{
	int r = remove_matching(pool, "trash", "");
	if (r < 0)
		(void)err_set(err, r, "empty the trash of \"%s\"", pool->dir);
	int r2 = remove_matching(pool, ".", ".new-");
	if (r2 < 0 && r == 0)
		r = err_set(err, r2, "remove unfinished volumes of \"%s\"", pool->dir);
	return r;
}

int volume_create_dir(struct pool *pool, const struct volume_request *request, volume_fill_fn *fill,
		      struct err *err)
{
	struct stage stage;
	int r;

	r = volume_exists_dir(pool, VOLUME_INSTANCE, request->volume, err);
	if (r != 0)
		return r;
	if (request->image)
		r = volume_check_name(VOLUME_IMAGE, request->image, err);
	if (r == 0)
		r = volume_stage_begin(pool, &stage, err);
	if (r < 0)
		return r;
	r = quota_mark(pool, stage.dir_fd, -EBADF, err);
	if (r == 0)
		r = fill(pool, &stage, request->image, err);
	if (r == 0 && request->quota_bytes > 0)
		r = quota_limit(pool, stage.dir_fd, "a new volume", request->quota_bytes, err);
	if (r < 0) {
		(void)volume_stage_drop(pool, &stage, NULL);
		return r;
	}
	return volume_stage_publish(pool, &stage, VOLUME_INSTANCE, request->volume, request->sync,
				    err);
}

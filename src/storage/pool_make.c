/* storage/pool_make.c - see pool_make.h */
#include "storage/pool_make.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/btrfs_quota.h"
#include "os/fd.h"
#include "os/mount.h"
#include "os/path.h"
#include "storage/pool_disk.h"
#include "storage/side.h"
#include "storage/volume.h"

enum {
	TRASH_TRIES = 50, /* another helper may be at it */
	TRASH_WAIT_MS = 200
};

/*
 * Returns: new string, the first name in the directory @path below @dir_fd that begins with @prefix;
 * NULL: there is none.
 */
static char *first_entry(int dir_fd, const char *path, const char *prefix)
{
	int fd = path_openat2(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char *name = NULL;

	if (!dir)
		return NULL;
	for (struct dirent *entry = readdir(dir); entry && !name; entry = readdir(dir))
		if (!streq(entry->d_name, ".") && !streq(entry->d_name, "..") &&
		    !streq(entry->d_name, "lost+found") && str_after(entry->d_name, prefix))
			name = xstrdup(entry->d_name);
	(void)closedir(dir);
	return name;
}

/* Only what is empty goes. */
static void remove_tree(const char *path)
{
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (const char *const *subdir = pool_subdirs; fd >= 0 && *subdir; subdir++)
		(void)unlinkat(fd, *subdir, AT_REMOVEDIR);
}

static int remove_disk(const char *dir, const char *disk, bool own, struct err *err)
{
	int r = disk ? pool_disk_unmount(dir, err) : 0;

	if (r < 0 || !disk || !own)
		return r;
	_cleanup_(freep) char *tmp = xasprintf("%s.new", disk);
	(void)unlink(tmp);
	return unlink(disk) < 0 && errno != ENOENT ? err_set(err, -errno, "remove \"%s\"", disk)
						   : 0;
}

/* Nothing is on it yet that would not count. Without quotas no volume has a size: it says so itself. */
static void enable_quotas(int fd, bool full)
{
	int r = full ? -EOPNOTSUPP : btrfs_quota_enable(fd, BTRFS_QUOTA_SIMPLE);

	if (r == -EOPNOTSUPP) /* kernel < 6.7 */
		(void)btrfs_quota_enable(fd, BTRFS_QUOTA_FULL);
}

int pool_create(const struct pool_request *request, struct pool *ret_pool, struct err *err)
{
	bool there = request->dir && access(request->dir, F_OK) == 0;
	_cleanup_(freep) char *entry = there ? first_entry(AT_FDCWD, request->dir, "") : NULL;

	if (entry)
		return err_kind(err, ERR_INVALID,
				"\"%s\" is not empty, there is \"%s\": a new storage pool takes an "
				"empty directory, or makes one",
				request->dir, entry);
	int r = request->disk ? pool_disk_make(request, err) : 0;
	if (r < 0)
		return r;
	r = pool_prepare(request, ret_pool, err);
	if (r == 0 && request->disk)
		enable_quotas(ret_pool->dir_fd, request->full_quotas);
	if (r < 0 && !str_empty(request->dir)) {
		remove_tree(request->dir);
		(void)remove_disk(request->dir, request->disk, request->size_bytes > 0, NULL);
		if (!there)
			(void)rmdir(request->dir);
	}
	return r;
}

/* What is deleted in the background may be gone in a moment. */
static int empty_trash(struct pool *pool, struct err *err)
{
	int r = 0;

	for (int i = 0; i < TRASH_TRIES; i++) {
		r = pool->driver->trash_empty(pool, err);
		_cleanup_(freep) char *entry = first_entry(pool->dir_fd, "trash", "");
		_cleanup_(freep) char *stage = first_entry(pool->dir_fd, ".", ".new-");
		if (r == 0 && !entry && !stage)
			return 0;
		(void)poll(NULL, 0, TRASH_WAIT_MS);
	}
	return r < 0 ? r : err_kind(err, ERR_CONFLICT, "somebody still works in \"%s\"", pool->dir);
}

static int check_no_volumes(struct pool *pool, struct err *err)
{
	for (enum volume_kind kind = 0; kind < VOLUME_KIND_MAX; kind++) {
		_cleanup_(freep) char *entry =
			kind == VOLUME_IMAGE ? NULL
					     : first_entry(pool->dir_fd, volume_kind_dir(kind), "");
		if (entry)
			return err_kind(err, ERR_CONFLICT,
					"\"%s/%s/%s\" is in the pool, and nobody knows whose it "
					"is: move it away first",
					pool->dir, volume_kind_dir(kind), entry);
	}
	return 0;
}

static int remove_images(struct pool *pool, struct err *err)
{
	char trash[UUID_LEN];

	for (;;) {
		_cleanup_(freep) char *entry =
			first_entry(pool->dir_fd, volume_kind_dir(VOLUME_IMAGE), "");
		if (!entry)
			return 0;
		int r = pool->driver->volume_hide(pool, VOLUME_IMAGE, entry, trash, err);
		if (r == 0)
			r = pool->driver->volume_free(pool, trash, err);
		if (r < 0)
			return r;
	}
}

static int empty_tree(const struct pool_removal *removal, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -EBADF };
	int r = pool_open(removal->name, removal->driver, removal->dir, &pool, err);

	if (r == 0)
		r = check_no_volumes(&pool, err);
	if (r == 0)
		r = empty_trash(&pool, err);
	if (r == 0)
		r = remove_images(&pool, err);
	return r < 0 ? r : side_clear(&pool, err);
}

int pool_remove(const struct pool_removal *removal, struct err *err)
{
	/* a disk that is not mounted is not there, or was never made */
	bool there = !removal->disk || mount_is_at(removal->dir) > 0;
	int r = 0;

	if (str_empty(removal->dir) || (access(removal->dir, F_OK) < 0 && errno == ENOENT))
		there = false;
	if (there)
		r = empty_tree(removal, err);
	if (r == 0 && there)
		remove_tree(removal->dir);
	if (r == 0)
		r = remove_disk(removal->dir, removal->disk, removal->own_disk, err);
	if (r < 0)
		return err_wrap(err, "delete storage pool \"%s\"", removal->name);
	if (removal->own_dir)
		(void)rmdir(removal->dir);
	return 0;
}

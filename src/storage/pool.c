/* storage/pool.c - see pool.h */
#include "storage/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"
#include "os/path.h"
#include "storage/btrfs.h"
#include "storage/dir.h"
#include "storage/overlay.h"
#include "storage/pool_disk.h"
#include "storage/side.h"
#include "storage/volume.h"

static const struct storage_driver *const drivers[] = { &overlay_driver, &btrfs_driver,
							&dir_driver };

const char *const pool_subdirs[] = { "images", "instances", "snapshots", "custom",
				     "trash",  SIDE_DIR,    NULL };

const struct storage_driver *storage_driver_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
		if (streq(drivers[i]->name, name))
			return drivers[i];
	return NULL;
}

bool pool_cancelled(struct pool *pool)
{
	return pool->cancel && pool->cancel(pool->cancel_data);
}

void pool_close(struct pool *pool)
{
	free(pool->name);
	free(pool->dir);
	pool->dir_fd = fd_close(pool->dir_fd);
	pool->name = pool->dir = NULL;
}

static int check_request(const char *name, const char *dir, struct err *err)
{
	if (str_empty(name))
		return err_kind(err, ERR_INVALID, "storage pool without a name");
	if (str_empty(dir) || *dir != '/')
		return err_kind(err, ERR_INVALID, "storage pool \"%s\": no absolute directory",
				name);
	return 0;
}

int pool_open(const char *name, const char *driver, const char *dir, struct pool *ret_pool,
	      struct err *err)
{
	uint32_t caps;

	int r = check_request(name, dir, err);
	if (r < 0)
		return r;
	r = storage_driver_caps(driver, &caps, err);
	if (r < 0)
		return r;
	_cleanup_(fd_closep) int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd == -1 && errno == ENOENT)
		return err_kind(err, ERR_NOT_FOUND, "storage pool \"%s\": \"%s\" does not exist",
				name, dir);
	if (dir_fd < 0)
		return err_set(err, -errno, "storage pool \"%s\": open \"%s\"", name, dir);
	*ret_pool = (struct pool){ .name = xstrdup(name),
				   .dir = xstrdup(dir),
				   .dir_fd = TAKE_FD(dir_fd),
				   .driver = storage_driver_find(driver) };
	return 0;
}

/* The pool's directory, made with its parents. Its path is the administrator's: links are fine. */
static int make_pool_dir(const char *dir, struct err *err)
{
	_cleanup_(freep) char *path = xstrdup(dir);

	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0711) < 0 && errno != EEXIST)
			return err_set(err, -errno, "make \"%s\"", path);
		*p = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "make \"%s\"", path);
	return 0;
}

/* A directory without a pool in it is where a disk is to be mounted that is not. */
static int check_made(const char *dir, struct err *err)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", dir, volume_kind_dir(VOLUME_INSTANCE));

	if (access(path, F_OK) == 0)
		return 0;
	if (errno != ENOENT && errno != ENOTDIR)
		return err_set(err, -errno, "look at \"%s\"", path);
	return err_kind(err, ERR_UNAVAILABLE,
			"\"%s\" has no storage pool in it any more: is what is to be mounted there "
			"mounted?",
			dir);
}

/* Closed to host users: nobody but root comes below (threat G9). */
static int make_tree(struct pool *pool, struct err *err)
{
	if (fchmod(pool->dir_fd, 0700) < 0)
		return err_set(err, -errno, "close \"%s\" to others", pool->dir);
	for (const char *const *subdir = pool_subdirs; *subdir; subdir++) {
		if (mkdirat(pool->dir_fd, *subdir, 0700) < 0 && errno != EEXIST)
			return err_set(err, -errno, "make \"%s/%s\"", pool->dir, *subdir);
		_cleanup_(fd_closep) int fd =
			path_open_plain(pool->dir_fd, *subdir, O_RDONLY | O_DIRECTORY, 0);
		if (fd < 0)
			return err_set(err, fd, "open \"%s/%s\"", pool->dir, *subdir);
	}
	if (fsync(pool->dir_fd) < 0)
		return err_set(err, -errno, "sync \"%s\"", pool->dir);
	return 0;
}

/* The best driver that works here; the message of the last one when none does. */
static int find_driver(struct pool *pool, const struct pool_request *request, struct err *err)
{
	bool automatic = streq(request->driver, "auto");
	int r = -EOPNOTSUPP;

	for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
		if (!automatic && !streq(drivers[i]->name, request->driver))
			continue;
		pool->driver = drivers[i];
		r = pool->driver->pool_probe(pool, &request->ids, err);
		if (r == 0)
			return 0;
	}
	return r;
}

int pool_prepare(const struct pool_request *request, struct pool *ret_pool, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -EBADF };
	bool automatic = streq(request->driver, "auto"), mounted = false;

	int r = check_request(request->name, request->dir, err);
	if (r == 0)
		r = request->made ? check_made(request->dir, err)
				  : make_pool_dir(request->dir, err);
	if (r == 0 && request->disk) {
		r = pool_disk_mount(request, err);
		mounted = r == 0;
	}
	if (r >= 0)
		r = pool_open(request->name, automatic ? dir_driver.name : request->driver,
			      request->dir, &pool, err);
	if (r == 0)
		r = make_tree(&pool, err);
	if (r == 0)
		r = find_driver(&pool, request, err);
	if (r == 0)
		r = pool.driver->trash_empty(&pool, err);
	if (r < 0) {
		pool_close(&pool);
		if (mounted)
			(void)pool_disk_unmount(request->dir, NULL);
		return err_wrap(err, "prepare storage pool \"%s\"", request->name);
	}
	*ret_pool = pool;
	pool = (struct pool){ .dir_fd = -EBADF };
	return 0;
}

/* storage/pool_look.c - see pool_look.h */
#include "storage/pool_look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"
#include "os/mount.h"
#include "os/path.h"
#include "storage/pool_disk.h"
#include "storage/volume.h"

static int open_dir(const char *dir, struct err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return err_kind(err, ERR_UNAVAILABLE, "\"%s\" is not there", dir);
	return fd < 0 ? err_set(err, -errno, "open \"%s\"", dir) : fd;
}

/* What is mounted where the pool belongs is what is looked into. */
static int open_disk(const struct pool_request *request, char uuid[BTRFS_UUID_LEN], struct err *err)
{
	bool mounted = request->dir && mount_is_at(request->dir) > 0;
	_cleanup_(fd_closep) int mount_fd =
		mounted ? -EBADF : pool_disk_mount_detached(request, err);
	int fd, r;

	if (!mounted && mount_fd < 0)
		return mount_fd;
	/* the descriptor of a mount is good for nothing else */
	fd = mounted ? open_dir(request->dir, err)
		     : openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mounted ? fd : err_set(err, -errno, "open \"%s\"", request->disk);
	r = pool_disk_check_uuid(request, fd, uuid, err);
	if (r < 0)
		(void)fd_close(fd);
	return r < 0 ? r : fd;
}

int pool_look(const struct pool_request *request, struct pool *ret_pool,
	      char ret_uuid[BTRFS_UUID_LEN], struct err *err)
{
	const char *place = request->disk ? request->disk : request->dir;
	int fd;

	ret_uuid[0] = '\0';
	if (str_empty(place))
		return err_kind(err, ERR_INVALID, "no place to look for a storage pool at");
	fd = request->disk ? open_disk(request, ret_uuid, err) : open_dir(place, err);
	if (fd < 0)
		return fd;
	*ret_pool = (struct pool){ .name = xstrdup(request->name),
				   .dir = xstrdup(place),
				   .dir_fd = fd };
	return 0;
}

bool pool_looks_like_one(const struct pool *pool)
{
	struct stat st;

	return fstatat(pool->dir_fd, volume_kind_dir(VOLUME_INSTANCE), &st, AT_SYMLINK_NOFOLLOW) ==
		       0 &&
	       S_ISDIR(st.st_mode);
}

/* A volume of the overlay driver that stands on an image, or one that is a subvolume. */
static const char *driver_of(int kind_fd, const char *name)
{
	_cleanup_(fd_closep) int fd = path_open_plain(kind_fd, name, O_RDONLY | O_DIRECTORY, 0);
	_cleanup_(fd_closep) int upper_fd =
		fd < 0 ? -EBADF : path_open_plain(fd, "upper", O_RDONLY | O_DIRECTORY, 0);
	_cleanup_(fd_closep) int root_fd =
		fd < 0 ? -EBADF : path_open_plain(fd, "rootfs", O_RDONLY | O_DIRECTORY, 0);
	uint64_t id;

	if (upper_fd >= 0)
		return "overlay";
	return root_fd >= 0 && btrfs_subvol_id(root_fd, &id) == 0 ? "btrfs" : NULL;
}

static const char *driver_of_any(const struct pool *pool, enum volume_kind kind)
{
	int fd = path_open_plain(pool->dir_fd, volume_kind_dir(kind), O_RDONLY | O_DIRECTORY, 0);
	_cleanup_(fd_closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const char *driver = NULL;

	for (struct dirent *entry = dir ? readdir(dir) : NULL; entry && !driver;
	     entry = readdir(dir))
		if (entry->d_name[0] != '.')
			driver = driver_of(dirfd(dir), entry->d_name);
	return driver;
}

const struct storage_driver *pool_tell_driver(const struct pool *pool)
{
	static const enum volume_kind telling[] = { VOLUME_INSTANCE, VOLUME_SNAPSHOT, VOLUME_CUSTOM,
						    VOLUME_IMAGE };
	const char *driver = NULL;

	for (size_t i = 0; i < ARRAY_LEN(telling) && !driver; i++)
		driver = driver_of_any(pool, telling[i]);
	return driver ? storage_driver_find(driver) : NULL;
}

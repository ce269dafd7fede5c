/* storage/pool_disk.c - see pool_disk.h */
#include "storage/pool_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/btrfs.h"
#include "os/command.h"
#include "os/fd.h"
#include "os/loopdev.h"
#include "os/mount.h"

enum {
	BUSY_TRIES = 50,
	BUSY_WAIT_MS = 200
};

static int run_mkfs(const struct pool_request *request, const char *path, struct err *err)
{
	const char *argv[] = { "mkfs.btrfs", "--quiet", "--uuid", request->uuid, path, NULL, NULL };

	if (request->wipe)
		argv[5] = "--force";
	int r = command_run(argv);
	if (r == -ENOENT)
		return err_kind(err, ERR_UNSUPPORTED,
				"mkfs.btrfs is not there: install btrfs-progs");
	if (r < 0)
		return err_set(err, r, "run mkfs.btrfs");
	if (r > 0)
		return err_kind(err, ERR_INVALID,
				"mkfs.btrfs refused \"%s\" (status %d; its words are in the "
				"daemon's log): what is on a device already goes only with "
				"source.wipe=true",
				path, r);
	return 0;
}

/* The file has its name only when it is whole. */
static int make_file(const struct pool_request *request, struct err *err)
{
	_cleanup_(freep) char *tmp = xasprintf("%s.new", request->disk);
	_cleanup_(fd_closep) int fd = -EBADF;
	int r = 0;

	(void)unlink(tmp); /* of an attempt that was interrupted */
	fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(err, -errno, "make \"%s\"", tmp);
	if (ftruncate(fd, (off_t)request->size_bytes) < 0)
		r = err_set(err, -errno, "make \"%s\" as long as the pool is to be", tmp);
	if (r == 0)
		r = run_mkfs(request, tmp, err);
	if (r == 0 && (fsync(fd) < 0 ||
		       renameat2(AT_FDCWD, tmp, AT_FDCWD, request->disk, RENAME_NOREPLACE) < 0))
		r = err_set(err, -errno, "make \"%s\"", request->disk);
	if (r < 0)
		(void)unlink(tmp);
	return r;
}

int pool_disk_make(const struct pool_request *request, struct err *err)
{
	struct stat st;

	if (stat(request->disk, &st) < 0)
		return errno == ENOENT ? make_file(request, err)
				       : err_set(err, -errno, "look at \"%s\"", request->disk);
	if (!S_ISBLK(st.st_mode))
		return err_kind(err, ERR_CONFLICT, "\"%s\" is there already, and no block device",
				request->disk);
	return run_mkfs(request, request->disk, err);
}

int pool_disk_check_uuid(const struct pool_request *request, int dir_fd,
			 char ret_uuid[BTRFS_UUID_LEN], struct err *err)
{
	int r = btrfs_uuid(dir_fd, ret_uuid);

	if (r < 0)
		return err_set(err, r, "read the uuid of \"%s\"", request->disk);
	if (request->uuid && !streq(ret_uuid, request->uuid))
		return err_kind(err, ERR_UNAVAILABLE,
				"\"%s\" holds the file system %s, the pool is on %s", request->disk,
				ret_uuid, request->uuid);
	return 0;
}

static int check_uuid(const struct pool_request *request, int mount_fd, struct err *err)
{
	/* the descriptor of a mount is good for nothing else */
	_cleanup_(fd_closep) int fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char uuid[BTRFS_UUID_LEN];

	return fd < 0 ? err_set(err, -errno, "open \"%s\"", request->disk)
		      : pool_disk_check_uuid(request, fd, uuid, err);
}

/* A block device, or a file that is made one. Returns: descriptor of the mount. */
typedef int mount_device_fn(const struct pool_request *request, const char *device,
			    struct err *err);

static int with_device(const struct pool_request *request, mount_device_fn *fn, struct err *err)
{
	_cleanup_(fd_closep) int fd = open(request->disk, O_RDWR | O_CLOEXEC);
	_cleanup_(fd_closep) int loop_fd = -EBADF;
	char device[LOOPDEV_PATH_LEN];
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENXIO))
		return err_kind(err, ERR_UNAVAILABLE, "\"%s\" is not there", request->disk);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "open \"%s\"", request->disk);
	/* a reader without a card in it, a loop device without a file */
	if (S_ISBLK(st.st_mode) && lseek(fd, 0, SEEK_END) == 0)
		return err_kind(err, ERR_UNAVAILABLE, "nothing is behind \"%s\"", request->disk);
	if (S_ISBLK(st.st_mode))
		return fn(request, request->disk, err);
	loop_fd = loopdev_attach(fd, device);
	if (loop_fd < 0)
		return err_set(err, loop_fd, "make a block device of \"%s\"", request->disk);
	return fn(request, device, err);
}

/* The kernel's EINVAL is any other content. */
static int mount_failed(const struct pool_request *request, int r, struct err *err)
{
	if (r != -EINVAL)
		return err_wrap(err, "mount \"%s\"", request->disk);
	return err_kind(
		err, ERR_UNAVAILABLE,
		"there is no btrfs on \"%s\", as there is of a storage pool on a disk of its own",
		request->disk);
}

static int mount_to_use(const struct pool_request *request, const char *device, struct err *err)
{
	const struct mount_opt opts[] = { { "source", device } };
	int fd = mount_new("btrfs", opts, ARRAY_LEN(opts), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
			   err);

	return fd < 0 ? mount_failed(request, fd, err) : fd;
}

static int mount_to_read(const struct pool_request *request, const char *device, struct err *err)
{
	const struct mount_opt opts[] = { { "source", device }, { "ro", NULL } };
	const uint64_t attrs =
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	int fd = mount_new("btrfs", opts, ARRAY_LEN(opts), attrs, err);

	if (fd == -EBUSY) { /* it is mounted elsewhere, to be written to */
		*err = (struct err){ 0 };
		fd = mount_new("btrfs", opts, 1, attrs, err);
	}
	return fd < 0 ? mount_failed(request, fd, err) : fd;
}

int pool_disk_mount_detached(const struct pool_request *request, struct err *err)
{
	return with_device(request, mount_to_read, err);
}

int pool_disk_mount(const struct pool_request *request, struct err *err)
{
	_cleanup_(fd_closep) int mount_fd = -EBADF;
	_cleanup_(fd_closep) int fd = -EBADF;
	int r = mount_is_at(request->dir);

	if (r < 0)
		return err_set(err, r, "look at \"%s\"", request->dir);
	if (r > 0) {
		fd = open(request->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? err_set(err, -errno, "open \"%s\"", request->dir)
			   : check_uuid(request, fd, err);
		return r < 0 ? r : 1;
	}
	mount_fd = with_device(request, mount_to_use, err);
	r = mount_fd < 0 ? mount_fd : check_uuid(request, mount_fd, err);
	if (r < 0)
		return r;
	r = mount_attach_at(mount_fd, request->dir);
	return r < 0 ? err_set(err, r, "mount \"%s\" at \"%s\"", request->disk, request->dir) : 0;
}

/* The file first, then the device, then the file system: the longer ones are in nobody's way. */
static int grow_mounted(const struct pool_request *request, int dir_fd, int file_fd,
			struct err *err)
{
	char device[LOOPDEV_PATH_LEN];
	int r = btrfs_device(dir_fd, device, sizeof(device));

	if (r == 0 && ftruncate(file_fd, (off_t)request->size_bytes) < 0)
		r = -errno;
	if (r == 0)
		r = loopdev_grow(device, file_fd);
	if (r == 0)
		r = btrfs_grow(dir_fd);
	return r < 0 ? err_set(err, r, "make \"%s\" longer", request->disk) : 0;
}

int pool_disk_grow(const struct pool_request *request, struct err *err)
{
	_cleanup_(fd_closep) int dir_fd = open(request->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(fd_closep) int file_fd = open(request->disk, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	char have[FMT_BYTES_LEN];
	struct stat st;
	int r = mount_is_at(request->dir);

	if (r == 0)
		return err_kind(err, ERR_UNAVAILABLE, "\"%s\" is not mounted", request->disk);
	if (r < 0 || dir_fd < 0 || file_fd < 0 || fstat(file_fd, &st) < 0)
		return err_set(err, r < 0 ? r : -errno, "open \"%s\"", request->disk);
	r = check_uuid(request, dir_fd, err);
	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > request->size_bytes)
		return err_kind(err, ERR_INVALID,
				"\"%s\" has %s already: it can become longer, not shorter",
				request->disk, fmt_bytes(have, (uint64_t)st.st_size));
	return grow_mounted(request, dir_fd, file_fd, err);
}

int pool_disk_unmount(const char *dir, struct err *err)
{
	int r = mount_is_at(dir);

	if (r == 0)
		return 0;
	r = mount_remove(dir);
	for (int i = 0; r == -EBUSY && i < BUSY_TRIES; i++) {
		(void)poll(NULL, 0, BUSY_WAIT_MS);
		r = mount_remove(dir);
	}
	return r < 0 ? err_set(err, r, "unmount \"%s\"", dir) : 0;
}

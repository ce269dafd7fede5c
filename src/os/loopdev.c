/* os/loopdev.c - see loopdev.h */
#include "os/loopdev.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "os/fd.h"

enum {
	TRIES = 64 /* others look for a free one too */
};

static bool is_of_file(int fd, const struct stat *file)
{
	struct loop_info64 info;

	return ioctl(fd, LOOP_GET_STATUS64, &info) == 0 && info.lo_inode == file->st_ino &&
	       info.lo_device == file->st_dev;
}

/* Returns: descriptor that keeps it, or -ENODEV. */
static int find_attached(int file_fd, char ret_path[LOOPDEV_PATH_LEN])
{
	_cleanup_(fd_closedirp) DIR *dir = opendir("/sys/block");
	int found_fd = -ENODEV;
	struct stat st;

	if (fstat(file_fd, &st) < 0)
		st = (struct stat){ 0 };
	for (struct dirent *entry = dir ? readdir(dir) : NULL; entry && found_fd < 0;
	     entry = readdir(dir)) {
		unsigned int number;

		if (sscanf(entry->d_name, "loop%u", &number) != 1)
			continue;
		(void)snprintf(ret_path, LOOPDEV_PATH_LEN, "/dev/loop%u", number);
		_cleanup_(fd_closep) int fd = open(ret_path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && is_of_file(fd, &st))
			found_fd = TAKE_FD(fd);
	}
	return found_fd;
}

static int try_one(int control_fd, int file_fd, char ret_path[LOOPDEV_PATH_LEN])
{
	const struct loop_config config = {
		.fd = (uint32_t)file_fd,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO,
	};
	int number = ioctl(control_fd, LOOP_CTL_GET_FREE);

	if (number < 0)
		return -errno;
	(void)snprintf(ret_path, LOOPDEV_PATH_LEN, "/dev/loop%d", number);
	_cleanup_(fd_closep) int fd = open(ret_path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return ioctl(fd, LOOP_CONFIGURE, &config) < 0 ? -errno : TAKE_FD(fd);
}

int loopdev_attach(int file_fd, char ret_path[LOOPDEV_PATH_LEN])
{
	_cleanup_(fd_closep) int control_fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int r = find_attached(file_fd, ret_path);

	if (r >= 0)
		return r;
	r = control_fd < 0 ? -errno : -EBUSY;
	for (int i = 0; r == -EBUSY && i < TRIES; i++)
		r = try_one(control_fd, file_fd, ret_path);
	return r;
}

int loopdev_grow(const char *path, int file_fd)
{
	_cleanup_(fd_closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(file_fd, &st) < 0)
		return -errno;
	if (!is_of_file(fd, &st))
		return -ENODEV;
	return ioctl(fd, LOOP_SET_CAPACITY) < 0 ? -errno : 0;
}

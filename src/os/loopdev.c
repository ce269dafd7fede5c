/* os/loopdev.c - see loopdev.h */
#include "os/loopdev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
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
	int r = control_fd < 0 ? -errno : -EBUSY;

	for (int i = 0; r == -EBUSY && i < TRIES; i++)
		r = try_one(control_fd, file_fd, ret_path);
	return r;
}

int loopdev_grow(const char *path, int file_fd)
{
	_cleanup_(fd_closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	struct loop_info64 info;
	struct stat st;

	if (fd < 0 || fstat(file_fd, &st) < 0 || ioctl(fd, LOOP_GET_STATUS64, &info) < 0)
		return -errno;
	if (info.lo_inode != st.st_ino || info.lo_device != st.st_dev)
		return -ENODEV;
	return ioctl(fd, LOOP_SET_CAPACITY) < 0 ? -errno : 0;
}

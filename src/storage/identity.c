/* storage/identity.c - see identity.h */
#include "storage/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "os/fd.h"
#include "os/path.h"
#include "os/tree_copy.h"

#define MACHINE_ID "machine-id"

static int open_dir(int root_fd, const char *path)
{
	return root_fd < 0 ? -ENOENT : path_open_plain(root_fd, path, O_RDONLY | O_DIRECTORY, 0);
}

/* A regular file with something in it. */
static bool is_set(int dir_fd)
{
	struct stat st;

	return fstatat(dir_fd, MACHINE_ID, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size > 0;
}

static bool is_there(int dir_fd)
{
	struct stat st;

	return fstatat(dir_fd, MACHINE_ID, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The directory that the upper layer has not copied up yet. Returns: descriptor or -errno. */
static int make_etc(int root_fd, int lower_etc_fd)
{
	if (mkdirat(root_fd, "etc", 0755) < 0)
		return -errno;
	int fd = open_dir(root_fd, "etc");
	int r = fd < 0 ? fd : tree_copy_attributes(lower_etc_fd, fd);
	if (r < 0) {
		(void)fd_close(fd);
		return r;
	}
	return fd;
}

static int put_empty(int etc_fd)
{
	if (unlinkat(etc_fd, MACHINE_ID, 0) < 0 && errno != ENOENT)
		return -errno;
	_cleanup_(fd_closep) int fd =
		openat(etc_fd, MACHINE_ID, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       0444);
	return fd < 0 || fchmod(fd, 0444) < 0 ? -errno : 0;
}

static int forget_machine_id(int root_fd, int lower_fd)
{
	_cleanup_(fd_closep) int lower_etc_fd = open_dir(lower_fd, "etc");
	_cleanup_(fd_closep) int etc_fd = open_dir(root_fd, "etc");
	bool below = lower_etc_fd >= 0 && is_set(lower_etc_fd);

	if (etc_fd == -ENOENT && !below)
		return 0;
	if (etc_fd == -ENOENT)
		etc_fd = make_etc(root_fd, lower_etc_fd);
	if (etc_fd < 0)
		return etc_fd;
	/* an overlay's whiteout is there too, and stays */
	return is_set(etc_fd) || (below && !is_there(etc_fd)) ? put_empty(etc_fd) : 0;
}

/* D-Bus makes it anew; an empty one would be an error to it. */
static int forget_dbus_id(int root_fd)
{
	_cleanup_(fd_closep) int dir_fd = open_dir(root_fd, "var/lib/dbus");

	if (dir_fd >= 0 && is_set(dir_fd) && unlinkat(dir_fd, MACHINE_ID, 0) < 0)
		return -errno;
	return 0;
}

int identity_forget(int root_fd, int lower_fd)
{
	int r = forget_machine_id(root_fd, lower_fd);

	return r < 0 ? r : forget_dbus_id(root_fd);
}

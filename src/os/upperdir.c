/* os/upperdir.c - see upperdir.h */
#include "os/upperdir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/xattr.h>

#include "os/fd.h"
#include "os/mount.h"
#include "os/path.h"

/* By way of the overlay, which copies the parents up; as the root it belongs to. */
static int make_in_overlay(const struct upperdir *overlay, const char *path, mode_t mode)
{
	int fd;

	(void)setfsuid(overlay->root_ids[0]);
	(void)setfsgid(overlay->root_ids[1]);
	fd = path_make_dir(overlay->root_fd, path, mode);
	(void)setfsuid(0);
	(void)setfsgid(0);
	return fd;
}

/* P1. What was copied up from below carries the mark of its origin. */
static int check_alone(const struct upperdir *overlay, int upper_fd, const char *path)
{
	_cleanup_(fd_closep) int lower_fd = -EBADF;
	char value[2];

	if (fgetxattr(upper_fd, "trusted.overlay.opaque", value, sizeof(value)) == 1 &&
	    value[0] == 'y')
		return 0;
	if (fgetxattr(upper_fd, "trusted.overlay.origin", NULL, 0) >= 0)
		return -EEXIST;
	lower_fd = path_open_plain(overlay->lower_fd, path, O_PATH, 0);
	return lower_fd >= 0 ? -EEXIST : 0;
}

int upperdir_clone(const struct upperdir *overlay, const char *path, mode_t mode, struct err *err)
{
	_cleanup_(fd_closep) int made_fd = make_in_overlay(overlay, path, mode);
	_cleanup_(fd_closep) int upper_fd = -EBADF;
	_cleanup_(fd_closep) int mount_fd = -EBADF;
	char in_volume[PATH_MAX];
	int r;

	if (made_fd < 0)
		return err_set(err, made_fd, "make \"/%s\"", path);
	(void)snprintf(in_volume, sizeof(in_volume), "upper/%s", path);
	upper_fd = path_open_plain(overlay->volume_fd, in_volume, O_RDONLY | O_DIRECTORY, 0);
	/* -ENOENT: it is the lower layer's alone */
	r = upper_fd == -ENOENT ? -EEXIST : upper_fd;
	if (r >= 0)
		r = check_alone(overlay, upper_fd, path);
	if (r < 0)
		return err_set(err, r, "open \"/%s\" below the overlay", path);
	mount_fd = mount_clone(upper_fd, "", false);
	if (mount_fd < 0)
		return err_set(err, mount_fd, "clone \"/%s\"", path);
	/* as the overlay is inside: programs of any kind, but no devices */
	r = mount_set_attrs(mount_fd, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (r == 0 && overlay->userns_fd >= 0)
		r = mount_idmap(mount_fd, overlay->userns_fd);
	return r < 0 ? err_set(err, r, "prepare \"/%s\"", path) : TAKE_FD(mount_fd);
}

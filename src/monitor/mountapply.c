/* monitor/mountapply.c - see mountapply.h */
#include "monitor/mountapply.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/path.h"

/* -errno of opening a target, in the words of the person who made the image. */
static int target_failed(struct err *err, int code, const char *target)
{
	if (code == -ELOOP)
		return err_kind(err, ERR_INVALID,
				"mount /%s: the root file system has a symbolic link there",
				target);
	if (code == -ENOTDIR)
		return err_kind(err, ERR_INVALID,
				"mount /%s: the root file system has no directory there", target);
	return err_set(err, code, "mount /%s", target);
}

static size_t count_opts(const struct mount_step *step)
{
	size_t n = 0;

	while (n < MOUNT_OPTS_MAX && step->opts[n].key)
		n++;
	return n;
}

static int apply_new(const struct mount_step *step, int root_fd, struct err *err)
{
	_cleanup_(fd_closep) int target_fd = -EBADF;
	_cleanup_(fd_closep) int mount_fd = -EBADF;
	int r;

	target_fd = path_make_dir(root_fd, step->target, 0755);
	if (target_fd < 0)
		return target_failed(err, target_fd, step->target);
	mount_fd = mount_new(step->what, step->opts, count_opts(step), step->attrs, err);
	if (mount_fd < 0)
		return err_wrap(err, "mount /%s", step->target);
	r = mount_attach(mount_fd, target_fd);
	return r < 0 ? err_set(err, r, "attach /%s", step->target) : 0;
}

int mount_apply_on_file(int root_fd, const char *target, int mount_fd, struct err *err)
{
	_cleanup_(fd_closep) int target_fd = path_make_file(root_fd, target, 0644);
	int r;

	if (target_fd < 0)
		return target_failed(err, target_fd, target);
	r = mount_attach(mount_fd, target_fd);
	return r < 0 ? err_set(err, r, "attach /%s", target) : 0;
}

static int apply_node(const struct mount_step *step, int root_fd, struct err *err)
{
	_cleanup_(fd_closep) int mount_fd = -EBADF;
	char source[64];
	struct stat st;

	(void)snprintf(source, sizeof(source), "/dev/%s", step->what);
	mount_fd = mount_clone(AT_FDCWD, source, false);
	if (mount_fd == -ENOENT && step->optional)
		return 0;
	if (mount_fd < 0)
		return err_set(err, mount_fd, "clone the host's %s", source);
	if (fstat(mount_fd, &st) < 0)
		return err_set(err, -errno, "stat the host's %s", source);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(step->major, step->minor))
		return err_set(err, -ENODEV, "the host's %s is not device %u:%u", source,
			       step->major, step->minor);
	return mount_apply_on_file(root_fd, step->target, mount_fd, err);
}

static int apply_dir(const struct mount_step *step, int root_fd, struct err *err)
{
	_cleanup_(fd_closep) int fd = path_make_dir(root_fd, step->target, step->mode);

	return fd < 0 ? target_failed(err, fd, step->target) : 0;
}

static int apply_link(const struct mount_step *step, int root_fd, struct err *err)
{
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	const char *slash = strrchr(step->target, '/');
	char parent[PATH_MAX] = ".";

	assert(slash && (size_t)(slash - step->target) < sizeof(parent));
	memcpy(parent, step->target, (size_t)(slash - step->target));
	parent[slash - step->target] = '\0';
	dir_fd = path_open_plain(root_fd, parent, O_PATH | O_DIRECTORY, 0);
	if (dir_fd < 0)
		return target_failed(err, dir_fd, parent);
	if (symlinkat(step->what, dir_fd, slash + 1) < 0)
		return err_set(err, -errno, "link /%s", step->target);
	return 0;
}

/* A directory is hidden by an empty read-only tmpfs, a file by /dev/null. */
static int apply_mask(const struct mount_step *step, int root_fd, struct err *err)
{
	_cleanup_(fd_closep) int target_fd = path_open_plain(root_fd, step->target, O_PATH, 0);
	_cleanup_(fd_closep) int mount_fd = -EBADF;
	struct stat st;
	int r;

	if (target_fd == -ENOENT)
		return 0;
	if (target_fd < 0)
		return target_failed(err, target_fd, step->target);
	if (fstat(target_fd, &st) < 0)
		return err_set(err, -errno, "mask /%s", step->target);
	if (S_ISDIR(st.st_mode))
		mount_fd = mount_new("tmpfs", NULL, 0, MOUNT_ATTR_RDONLY, err);
	else
		mount_fd = mount_clone(AT_FDCWD, "/dev/null", false);
	if (mount_fd < 0)
		return err_set(err, mount_fd, "mask /%s", step->target);
	r = mount_attach(mount_fd, target_fd);
	return r < 0 ? err_set(err, r, "mask /%s", step->target) : 0;
}

static int apply_readonly(const struct mount_step *step, int root_fd, struct err *err)
{
	_cleanup_(fd_closep) int target_fd = path_open_plain(root_fd, step->target, O_PATH, 0);
	_cleanup_(fd_closep) int mount_fd = -EBADF;
	int r;

	if (target_fd == -ENOENT)
		return 0;
	if (target_fd < 0)
		return target_failed(err, target_fd, step->target);
	mount_fd = mount_clone(target_fd, "", true);
	if (mount_fd < 0)
		return err_set(err, mount_fd, "clone /%s", step->target);
	r = mount_set_attrs(mount_fd, MOUNT_ATTR_RDONLY, 0);
	if (r == 0)
		r = mount_attach(mount_fd, target_fd);
	return r < 0 ? err_set(err, r, "make /%s read-only", step->target) : 0;
}

static int (*const actions[])(const struct mount_step *, int, struct err *) = {
	[MOUNT_NEW] = apply_new,   [MOUNT_NODE] = apply_node, [MOUNT_DIR] = apply_dir,
	[MOUNT_LINK] = apply_link, [MOUNT_MASK] = apply_mask, [MOUNT_READONLY] = apply_readonly,
};
static_assert(ARRAY_LEN(actions) == MOUNT_ACTION_MAX, "one function per action");

int mount_plan_apply(const struct mount_plan *plan, int root_fd, struct err *err)
{
	vec_for_each(step, &plan->steps) {
		int r = actions[step->action](step, root_fd, err);

		if (r < 0)
			return r;
	}
	return 0;
}

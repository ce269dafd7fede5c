/* os/rootmount.c - see rootmount.h */
#include "os/rootmount.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/macro.h"
#include "os/fd.h"
#include "os/mount.h"

int rootmount_lock(const char *path, int operation, struct err *err)
{
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, -errno, "open \"%s\"", path);
	if (flock(fd, operation | LOCK_NB) == 0)
		return TAKE_FD(fd);
	if (errno == EWOULDBLOCK)
		return err_kind(err, ERR_CONFLICT, "volume \"%s\" is in use", path);
	return err_set(err, -errno, "lock \"%s\"", path);
}

/* A copy of the mount at @path that shows the container's ids. Returns: mount descriptor. */
static int clone_layer(const struct rootmount_plan *plan, const char *path, struct err *err)
{
	_cleanup_(fd_closep) int fd = mount_clone(AT_FDCWD, path, false);
	char fs_name[32];
	int r;

	if (fd < 0)
		return err_set(err, fd, "clone \"%s\"", path);
	if (plan->userns_fd < 0)
		return TAKE_FD(fd);
	r = mount_idmap(fd, plan->userns_fd);
	if (r == -EINVAL)
		return err_kind(err, ERR_UNSUPPORTED,
				"\"%s\": the file system %s cannot be mounted with other ids", path,
				mount_fs_name(fd, fs_name));
	if (r < 0)
		return err_set(err, r, "map ids of \"%s\"", path);
	return TAKE_FD(fd);
}

static int make_dir_root(const struct rootmount_plan *plan, struct err *err)
{
	int fd = clone_layer(plan, plan->path, err);
	int r;

	if (fd < 0)
		return fd;
	/* The pool may be mounted nosuid, nodev, noexec: that is for the host's view of it. */
	r = mount_set_attrs(fd, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV);
	if (r < 0) {
		(void)fd_close(fd);
		return err_set(err, r, "set mount attributes of \"%s\"", plan->path);
	}
	return fd;
}

/* Attach a layer below the current directory: kernel 6.1 refuses detached ones. */
static int attach_layer(const struct rootmount_plan *plan, const char *name, const char *path,
			struct err *err)
{
	_cleanup_(fd_closep) int layer_fd = clone_layer(plan, path, err);
	int r;

	if (layer_fd < 0)
		return layer_fd;
	if (mkdir(name, 0700) < 0)
		return err_set(err, -errno, "make directory for layer %s", name);
	r = mount_attach_at(layer_fd, name);
	return r < 0 ? err_set(err, r, "attach layer %s", name) : 0;
}

/*
 * The mounting task's file system ids must be the mapped root: else the kernel cannot create the
 * work directory's content and mounts read-only without a word.
 */
static int mount_overlay_as_root(const struct rootmount_plan *plan, struct err *err)
{
	static const struct mount_opt opts[] = {
		{ "lowerdir", "lower" },
		{ "upperdir", "data/upper" },
		{ "workdir", "data/work" },
		{ "redirect_dir", "on" },
	};
	int fd;

	(void)setfsuid(
		plan->root_ids[0]); /* returns the old one, success or not; checked by the mount */
	(void)setfsgid(plan->root_ids[1]);
	fd = mount_new("overlay", opts, ARRAY_LEN(opts), 0, err);
	(void)setfsuid(0);
	(void)setfsgid(0);
	return fd;
}

static int check_writable(int mount_fd, struct err *err)
{
	struct statvfs st;

	if (fstatvfs(mount_fd, &st) < 0)
		return err_set(err, -errno, "stat the overlay");
	if (st.f_flag & ST_RDONLY)
		return err_set(err, -EROFS, "the kernel mounted the overlay read-only");
	return 0;
}

/* The current directory is the scratch file system. */
static int make_overlay_in_scratch(const struct rootmount_plan *plan, struct err *err)
{
	_cleanup_(fd_closep) int fd = -EBADF;
	int r = attach_layer(plan, "lower", plan->lower, err);

	if (r == 0)
		r = attach_layer(plan, "data", plan->path, err);
	if (r < 0)
		return r;
	fd = mount_overlay_as_root(plan, err);
	if (fd < 0)
		return fd;
	r = check_writable(fd, err);
	return r < 0 ? r : TAKE_FD(fd);
}

static int make_overlay_root(const struct rootmount_plan *plan, struct err *err)
{
	_cleanup_(fd_closep) int scratch_fd = mount_new("tmpfs", NULL, 0, 0, err);
	const char *place = plan->place;
	int r, fd;

	if (scratch_fd < 0)
		return scratch_fd;
	/* In our own mount namespace; the runtime directory itself is held by descriptors. */
	r = mount_attach_at(scratch_fd, place);
	if (r < 0)
		return err_set(err, r, "attach scratch on \"%s\"", place);
	if (fchdir(scratch_fd) < 0)
		fd = err_set(err, -errno, "enter scratch");
	else
		fd = make_overlay_in_scratch(plan, err);
	(void)!chdir("/");
	(void)mount_detach(place);
	return fd;
}

int rootmount_make(const struct rootmount_plan *plan, struct err *err)
{
	return plan->lower ? make_overlay_root(plan, err) : make_dir_root(plan, err);
}

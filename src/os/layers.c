/* os/layers.c - see layers.h */
#include "os/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "os/fd.h"
#include "os/mount.h"
#include "os/ns.h"

/* Below the current directory: kernel 6.1 refuses detached layers. */
static int attach_layer(const char *name, int dir_fd, int userns_fd, struct err *err)
{
	_cleanup_(fd_closep) int fd = mount_clone(dir_fd, "", false);
	char fs_name[32];

	if (fd < 0)
		return err_set(err, fd, "clone layer %s", name);
	int r = userns_fd < 0 ? 0 : mount_idmap(fd, userns_fd);
	if (r == -EINVAL)
		return err_kind(err, ERR_UNSUPPORTED,
				"layer %s: the file system %s cannot be mounted with other ids",
				name, mount_fs_name(fd, fs_name));
	if (r < 0)
		return err_set(err, r, "map ids of layer %s", name);
	if (mkdir(name, 0700) < 0)
		return err_set(err, -errno, "make directory for layer %s", name);
	r = mount_attach_at(fd, name);
	return r < 0 ? err_set(err, r, "attach layer %s", name) : 0;
}

/* The current directory is the scratch file system. */
static int merge_here(const struct layers *layers, struct err *err)
{
	static const struct mount_opt opts[] = {
		{ "lowerdir", "upper:lower" },
		{ "redirect_dir", "follow" },
	};
	_cleanup_(fd_closep) int fd = -EBADF;

	int r = attach_layer("upper", layers->upper_fd, layers->userns_fd, err);
	if (r == 0)
		r = attach_layer("lower", layers->lower_fd, layers->userns_fd, err);
	if (r < 0)
		return r;
	fd = mount_new("overlay", opts, ARRAY_LEN(opts), MOUNT_ATTR_RDONLY, err);
	if (fd < 0)
		return fd;
	if (mkdir("merged", 0700) < 0)
		return err_set(err, -errno, "make directory for the merged root");
	r = mount_attach_at(fd, "merged");
	return r < 0 ? err_set(err, r, "attach the merged root") : TAKE_FD(fd);
}

int layers_begin(struct err *err)
{
	int r = ns_unshare(CLONE_NEWNS);

	if (r == 0)
		r = mount_make_private();
	return r < 0 ? err_set(err, r, "make a mount namespace") : 0;
}

int layers_merge(const struct layers *layers, struct err *err)
{
	_cleanup_(fd_closep) int scratch_fd = mount_new("tmpfs", NULL, 0, 0, err);

	if (scratch_fd < 0)
		return scratch_fd;
	int r = mount_attach_at(scratch_fd, layers->place);
	if (r < 0)
		return err_set(err, r, "attach scratch on \"%s\"", layers->place);
	if (fchdir(scratch_fd) < 0)
		return err_set(err, -errno, "enter scratch");
	r = merge_here(layers, err);
	(void)!chdir("/");
	return r;
}

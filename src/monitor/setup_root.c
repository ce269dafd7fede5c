/*
 * monitor/setup_root.c - phase: the container's root mount, out of the host's sight
 *
 * The layers are given the ids of the child's own user namespace; only the initial namespace may do
 * that, so it happens here and not in the child.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "monitor/initenv.h"
#include "monitor/mon.h"
#include "monitor/setup.h"
#include "monitor/sync.h"
#include "os/caps.h"
#include "os/fd.h"
#include "os/mount.h"

/* Keep the directory from being deleted or used twice. Returns: descriptor that holds it. */
static int lock_dir(const char *path, int operation, struct err *err)
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

/* Many may stand on one image, but only one in a volume. */
static int lock_volume(struct mon *mon, struct err *err)
{
	mon->volume_fd = lock_dir(mon->spec.root_path, LOCK_EX, err);
	if (mon->volume_fd < 0)
		return mon->volume_fd;
	if (mon->spec.root_kind != ROOT_OVERLAY)
		return 0;
	mon->lower_fd = lock_dir(mon->spec.root_lower, LOCK_SH, err);
	return mon->lower_fd < 0 ? mon->lower_fd : 0;
}

/* A copy of the mount at @path that shows the container's ids. Returns: mount descriptor. */
static int clone_layer(const struct mon *mon, const char *path, struct err *err)
{
	_cleanup_(fd_closep) int fd = mount_clone(AT_FDCWD, path, false);
	char fs_name[32];
	int r;

	if (fd < 0)
		return err_set(err, fd, "clone \"%s\"", path);
	if (mon->spec.privileged)
		return TAKE_FD(fd);
	r = mount_idmap(fd, mon->life.userns_fd);
	if (r == -EINVAL)
		return err_kind(err, ERR_UNSUPPORTED,
				"\"%s\": the file system %s cannot be mounted with other ids", path,
				mount_fs_name(fd, fs_name));
	if (r < 0)
		return err_set(err, r, "map ids of \"%s\"", path);
	return TAKE_FD(fd);
}

static int make_dir_root(struct mon *mon, struct err *err)
{
	int fd = clone_layer(mon, mon->spec.root_path, err);
	int r;

	if (fd < 0)
		return fd;
	/* The pool may be mounted nosuid, nodev, noexec: that is for the host's view of it. */
	r = mount_set_attrs(fd, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV);
	if (r < 0) {
		(void)fd_close(fd);
		return err_set(err, r, "set mount attributes of \"%s\"", mon->spec.root_path);
	}
	return fd;
}

/* Attach a layer below the current directory: kernel 6.1 refuses detached ones. */
static int attach_layer(const struct mon *mon, const char *name, const char *path, struct err *err)
{
	_cleanup_(fd_closep) int layer_fd = clone_layer(mon, path, err);
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
static int mount_overlay_as_root(const struct mon *mon, struct err *err)
{
	static const struct mount_opt opts[] = {
		{ "lowerdir", "lower" },
		{ "upperdir", "data/upper" },
		{ "workdir", "data/work" },
		{ "redirect_dir", "on" },
	};
	uid_t ids[2];
	int fd;

	mon_root_ids(mon, ids);
	(void)setfsuid(ids[0]); /* returns the old one, success or not; checked by the mount */
	(void)setfsgid(ids[1]);
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
static int make_overlay_in_scratch(struct mon *mon, struct err *err)
{
	_cleanup_(fd_closep) int fd = -EBADF;
	int r = attach_layer(mon, "lower", mon->spec.root_lower, err);

	if (r == 0)
		r = attach_layer(mon, "data", mon->spec.root_path, err);
	if (r < 0)
		return r;
	fd = mount_overlay_as_root(mon, err);
	if (fd < 0)
		return fd;
	r = check_writable(fd, err);
	return r < 0 ? r : TAKE_FD(fd);
}

static int make_overlay_root(struct mon *mon, struct err *err)
{
	_cleanup_(fd_closep) int scratch_fd = mount_new("tmpfs", NULL, 0, 0, err);
	const char *place = mon->spec.runtime_dir;
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
		fd = make_overlay_in_scratch(mon, err);
	(void)!chdir("/");
	(void)mount_detach(place);
	return fd;
}

/*
 * The root stays attached in our own mount namespace, out of the host's sight: before 6.15 the
 * kernel copies no detached mount, and each life gets a copy.
 */
static int make_root(struct mon *mon, struct err *err)
{
	_cleanup_(fd_closep) int root_fd = -EBADF;
	int r = lock_volume(mon, err);

	if (r < 0)
		return r;
	root_fd = mon->spec.root_kind == ROOT_OVERLAY ? make_overlay_root(mon, err)
						      : make_dir_root(mon, err);
	if (root_fd < 0)
		return root_fd;
	r = mount_attach_at(root_fd, mon->spec.runtime_dir);
	if (r < 0)
		return err_set(err, r, "attach the root on \"%s\"", mon->spec.runtime_dir);
	mon->root_fd = TAKE_FD(root_fd);
	return 0;
}

int setup_make_root(void *data, struct err *err)
{
	struct mon *mon = data;
	_cleanup_(fd_closep) int copy_fd = -EBADF;
	int r = mon->root_fd < 0 ? make_root(mon, err) : 0;

	if (r < 0)
		return r;
	/* The child's copy goes with its namespace; ours stays for the next life. */
	copy_fd = mount_clone(mon->root_fd, "", false);
	if (copy_fd < 0)
		return err_set(err, copy_fd, "copy the root mount");
	mon->life.initkind = initkind_detect(copy_fd, initenv_program(&mon->spec));
	r = sync_send(mon->life.sync_fd, SYNC_ROOT, copy_fd, NULL);
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return err_set(err, r, "hand over the root mount");
	return 0;
}

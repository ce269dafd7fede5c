/* os/mount.c - see mount.h */
#include "os/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "os/fd.h"

/* The last message that the kernel left in the context, without its "e " prefix; "" for none. */
static const char *context_message(int fs_fd, char *out, size_t size)
{
	ssize_t n;

	out[0] = '\0';
	while ((n = read(fs_fd, out, size - 1)) > 0) {
		out[n] = '\0';
		if (out[n - 1] == '\n')
			out[n - 1] = '\0';
		if (out[0] == 'e')
			break;
	}
	return strlen(out) > 2 ? out + 2 : "";
}

static int context_failed(int fs_fd, int code, const char *fstype, const char *what,
			  struct err *err)
{
	char text[256];
	const char *message = context_message(fs_fd, text, sizeof(text));

	if (*message)
		return err_set(err, code, "mount %s: %s (%s)", fstype, what, message);
	return err_set(err, code, "mount %s: %s", fstype, what);
}

int mount_new(const char *fstype, const struct mount_opt *opts, size_t n_opts, uint64_t attrs,
	      struct err *err)
{
	_cleanup_(fd_closep) int fs_fd = fsopen(fstype, FSOPEN_CLOEXEC);
	int mount_fd;

	if (fs_fd < 0)
		return err_set(err, -errno, "mount %s", fstype);
	/* What mount(8) and df(1) show; a file system that refuses it shows "none". */
	if (n_opts == 0 || strcmp(opts[0].key, "source") != 0)
		(void)fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", fstype, 0);
	for (size_t i = 0; i < n_opts; i++) {
		enum fsconfig_command cmd = opts[i].value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

		if (fsconfig(fs_fd, cmd, opts[i].key, opts[i].value, 0) < 0)
			return context_failed(fs_fd, -errno, fstype, opts[i].key, err);
	}
	if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return context_failed(fs_fd, -errno, fstype, "create", err);
	mount_fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, (unsigned int)attrs);
	if (mount_fd < 0)
		return context_failed(fs_fd, -errno, fstype, "fsmount", err);
	return mount_fd;
}

int mount_copy(int dir_fd, const char *path, bool recursive)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
			     AT_SYMLINK_NOFOLLOW | (recursive ? AT_RECURSIVE : 0);
	int fd = open_tree(dir_fd, path, flags);

	return fd < 0 ? -errno : fd;
}

int mount_set_propagation(int mount_fd, bool recursive, uint64_t type)
{
	unsigned int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
	struct mount_attr attr = { .propagation = type };

	return mount_setattr(mount_fd, "", flags, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

int mount_clone(int dir_fd, const char *path, bool recursive)
{
	_cleanup_(fd_closep) int fd = mount_copy(dir_fd, path, recursive);
	int r;

	if (fd < 0)
		return fd;
	r = mount_set_propagation(fd, recursive, MS_PRIVATE);
	return r < 0 ? r : TAKE_FD(fd);
}

int mount_set_attrs(int mount_fd, uint64_t set, uint64_t clear)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear };

	return mount_setattr(mount_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

int mount_idmap(int mount_fd, int userns_fd)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)(unsigned int)userns_fd,
	};

	return mount_setattr(mount_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

int mount_prepare(int mount_fd, bool recursive, uint64_t attrs, int userns_fd)
{
	unsigned int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
	/* Times of access are no flags but a choice, which has to be cleared first. */
	struct mount_attr attr = {
		.attr_set = attrs,
		.attr_clr = attrs & MOUNT_ATTR__ATIME ? MOUNT_ATTR__ATIME : 0,
	};

	if (userns_fd >= 0) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)(unsigned int)userns_fd;
	}
	return mount_setattr(mount_fd, "", flags, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

int mount_attach(int mount_fd, int target_fd)
{
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

	return move_mount(mount_fd, "", target_fd, "", flags) < 0 ? -errno : 0;
}

int mount_attach_at(int mount_fd, const char *path)
{
	if (move_mount(mount_fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

int mount_make_slave(void)
{
	return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ? -errno : 0;
}

int mount_make_private(void)
{
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

int mount_make_shared(void)
{
	return mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0 ? -errno : 0;
}

int mount_pivot(int root_fd)
{
	if (fchdir(root_fd) < 0)
		return -errno;
	/* The old root ends up stacked on the new one's "/", where "." still leads to it. */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	if (umount2(".", MNT_DETACH) < 0)
		return -errno;
	return chdir("/") < 0 ? -errno : 0;
}

int mount_detach(const char *path)
{
	return umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
}

const char *mount_fs_name(int fd, char out[32])
{
	static const struct {
		unsigned long magic;
		const char *name;
	} names[] = {
		{ EXT4_SUPER_MAGIC, "ext4" },
		{ XFS_SUPER_MAGIC, "xfs" },
		{ BTRFS_SUPER_MAGIC, "btrfs" },
		{ TMPFS_MAGIC, "tmpfs" },
		{ OVERLAYFS_SUPER_MAGIC, "overlay" },
		{ NFS_SUPER_MAGIC, "nfs" },
		{ F2FS_SUPER_MAGIC, "f2fs" },
		{ SQUASHFS_MAGIC, "squashfs" },
		{ EROFS_SUPER_MAGIC_V1, "erofs" },
		{ 0x2fc12fc1, "zfs" },
		{ 0x65735546, "fuse" },
		{ 0x01021997, "9p" },
		{ CGROUP2_SUPER_MAGIC, "cgroup2" },
		{ PROC_SUPER_MAGIC, "proc" },
		{ SYSFS_MAGIC, "sysfs" },
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0) {
		(void)snprintf(out, 32, "unknown");
		return out;
	}
	(void)snprintf(out, 32, "0x%lx", (unsigned long)fs.f_type);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].magic == (unsigned long)fs.f_type)
			(void)snprintf(out, 32, "%s", names[i].name);
	return out;
}

int mount_is_at(const char *path)
{
	struct statx st;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	return (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

int mount_remove(const char *path)
{
	return umount2(path, UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
}

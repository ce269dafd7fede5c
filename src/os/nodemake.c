/* os/nodemake.c - see nodemake.h */
#include "os/nodemake.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "os/caps.h"
#include "os/fd.h"
#include "os/path.h"

int nodemake_become(const struct nodemake_owner *owner)
{
	if (fchdir(owner->root_fd) < 0 || chroot(".") < 0)
		return -errno;
	if (owner->dir_fd >= 0 && fchdir(owner->dir_fd) < 0)
		return -errno;
	(void)umask(owner->umask);
	if (setgroups(0, NULL) < 0)
		return -errno;
	(void)setfsgid(owner->fsgid);
	(void)setfsuid(owner->fsuid);
	if ((uint32_t)setfsuid(UINT32_MAX) != owner->fsuid ||
	    (uint32_t)setfsgid(UINT32_MAX) != owner->fsgid)
		return -EPERM;
	return caps_suspend(~(UINT64_C(1) << CAP_MKNOD));
}

int nodemake(char *path, mode_t mode, dev_t dev)
{
	char *slash = strrchr(path, '/');
	const char *parent = !slash ? "." : slash == path ? "/" : path;
	const char *name = slash ? slash + 1 : path;
	_cleanup_(fd_closep) int parent_fd = -EBADF;

	if (slash && slash != path)
		*slash = '\0';
	parent_fd = path_openat2(AT_FDCWD, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
				 RESOLVE_NO_MAGICLINKS);
	if (parent_fd < 0)
		return parent_fd;
	return mknodat(parent_fd, name, mode, dev) < 0 ? -errno : 0;
}

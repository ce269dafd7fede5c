/* os/program.c - see program.h */
#include "os/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "os/fd.h"
#include "os/mount.h"

int program_open(const char *path, struct err *err)
{
	_cleanup_(fd_closep) int mount_fd = -EBADF;
	_cleanup_(freep) char *dir = xstrdup(path);
	char *slash = strrchr(dir, '/');
	int fd, r;

	if (!slash || slash == dir)
		return err_set(err, -EINVAL, "open program \"%s\"", path);
	*slash = '\0';
	mount_fd = mount_clone(AT_FDCWD, dir, false);
	if (mount_fd < 0)
		return err_set(err, mount_fd, "clone the mount of \"%s\"", dir);
	r = mount_set_attrs(mount_fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0);
	if (r < 0)
		return err_set(err, r, "make the mount of \"%s\" read-only", dir);
	fd = openat(mount_fd, slash + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_set(err, -errno, "open program \"%s\"", path) : fd;
}

/*
 * In the child, which shares our memory until it executes: put the descriptors into their places and
 * the program behind them. They are moved out of the way first, because a place may be another one's
 * source. What is not wanted is closed, not left to the exec: that lets the parent go before it
 * closes anything, and the parent's epoll would see descriptors that it believes to be closed.
 */
static int place_fds(const int *fds, size_t n_fds, int program_fd)
{
	int high[PROGRAM_FDS_MAX];

	for (size_t i = 0; i < n_fds; i++) {
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, PROGRAM_FDS_MAX);
		if (high[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < n_fds; i++)
		if (dup3(high[i], (int)i, 0) < 0)
			return -errno;
	if (dup3(program_fd, (int)n_fds, O_CLOEXEC) < 0)
		return -errno;
	return fd_close_from((int)n_fds + 1);
}

pid_t program_spawn(int program_fd, const char *const *argv, const int *fds, size_t n_fds)
{
	static char *const no_environment[] = { NULL };
	volatile int error = 0; /* written by the child: vfork shares our memory */
	int own_fd;
	pid_t pid;

	if (n_fds >= PROGRAM_FDS_MAX)
		return -EINVAL;
	/* above all places, so that putting one does not overwrite it */
	own_fd = fd_copy(program_fd, PROGRAM_FDS_MAX);
	if (own_fd < 0)
		return own_fd;
	pid = vfork();
	if (pid == 0) {
		error = place_fds(fds, n_fds, own_fd);
		if (error == 0) {
			(void)execveat((int)n_fds, "", (char *const *)argv, no_environment,
				       AT_EMPTY_PATH);
			error = -errno;
		}
		_exit(127);
	}
	if (pid < 0)
		error = -errno;
	(void)fd_close(own_fd);
	if (pid > 0 && error < 0)
		(void)waitpid(pid, NULL, 0); /* it has ended already */
	return error < 0 ? error : pid;
}

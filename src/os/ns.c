/* os/ns.c - see ns.h */
#include "os/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t ns_clone(struct ns_clone *args)
{
	int pidfd = -EBADF;
	struct clone_args clone_args = {
		.flags = args->flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = args->flags & CLONE_PARENT ? 0 : SIGCHLD,
	};
	long pid;

	if (args->cgroup_fd >= 0) {
		clone_args.flags |= CLONE_INTO_CGROUP;
		clone_args.cgroup = (uint64_t)(unsigned int)args->cgroup_fd;
	}
	pid = syscall(SYS_clone3, &clone_args, sizeof(clone_args));
	if (pid < 0)
		return -errno;
	args->pidfd = pidfd;
	return (pid_t)pid;
}

int ns_unshare(uint64_t flags)
{
	return unshare((int)flags) < 0 ? -errno : 0;
}

int ns_join(int fd, uint64_t flags)
{
	return setns(fd, (int)flags) < 0 ? -errno : 0;
}

int ns_open(pid_t pid, const char *kind)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int ns_set_hostname(const char *name)
{
	return sethostname(name, strlen(name)) < 0 ? -errno : 0;
}

/* network/process.c - see process.h */
#include "network/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "os/cgroup.h"
#include "os/fd.h"
#include "os/pidfd.h"

enum {
	PID_LEN = 16,
	CMDLINE_LEN = 4096,
	END_WAIT_MS = 100 /* what a told dnsmasq may take to be gone */
};

#define CONF_OPTION "--conf-file="

char **net_process_argv(const char *conf_file)
{
	char **argv = NULL;
	strv_push(&argv, "dnsmasq");
	strv_push(&argv, "--keep-in-foreground");
	strv_push_take(&argv, xasprintf(CONF_OPTION "%s", conf_file));
	return argv;
}

const char *net_process_user(void)
{
	static const char *const users[] = { "dnsmasq", "nobody" };
	for (size_t i = 0; i < ARRAY_LEN(users); i++)
		if (getpwnam(users[i]))
			return users[i];
	return NULL;
}

/* Whether one of the arguments is exactly our option. */
static bool cmdline_is_ours(pid_t pid, const char *conf_file)
{
	_cleanup_(freep) char *path = xasprintf("/proc/%d/cmdline", (int)pid);
	_cleanup_(freep) char *want = xasprintf(CONF_OPTION "%s", conf_file);
	char text[CMDLINE_LEN];
	ssize_t len = fd_read_file_at(AT_FDCWD, path, text, sizeof(text));
	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(text + at) + 1)
		if (streq(text + at, want))
			return true;
	return false;
}

/* Returns: @pid if it is ours and alive, else -ESRCH. */
static pid_t take_if_ours(const char *pid_text, const char *conf_file, int *ret_pidfd)
{
	_cleanup_(fd_closep) int pidfd = -EBADF;
	uint32_t pid;
	if (parse_u32(pid_text, &pid) < 0 || pid <= 1 || pid > INT32_MAX)
		return -ESRCH;
	pidfd = pidfd_of((pid_t)pid);
	if (pidfd < 0 || !cmdline_is_ours((pid_t)pid, conf_file))
		return -ESRCH;
	if (pidfd_signal(pidfd, 0) < 0)
		return -ESRCH;
	*ret_pidfd = TAKE_FD(pidfd);
	return (pid_t)pid;
}

pid_t net_process_find(const char *pid_file, const char *conf_file, int *ret_pidfd)
{
	char text[PID_LEN];
	pid_t pid = -ESRCH;
	if (fd_read_file_at(AT_FDCWD, pid_file, text, sizeof(text)) > 0)
		pid = take_if_ours(text, conf_file, ret_pidfd);
	if (pid > 0)
		return pid;
	DIR *dir = opendir("/proc");
	if (!dir)
		return -ESRCH;
	for (const struct dirent *d = readdir(dir); d && pid <= 0; d = readdir(dir))
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9')
			pid = take_if_ours(d->d_name, conf_file, ret_pidfd);
	(void)closedir(dir);
	return pid;
}

void net_process_set_apart(const char *tag, const char *name, pid_t pid)
{
	struct cgroup_host host;
	_cleanup_(freep) char *path = xasprintf("%s/.net-%s", tag, name);
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	char text[PID_LEN];
	if (cgroup_host_detect(&host, NULL) < 0 ||
	    cgroup_create_plain(&host, path, &dir_fd, NULL) < 0)
		return;
	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	(void)fd_write_file_at(dir_fd, "cgroup.procs", text); /* best effort, see the header */
}

void net_process_forget(const char *tag, const char *name)
{
	struct cgroup_host host;
	_cleanup_(freep) char *path = xasprintf("%s/.net-%s", tag, name);
	_cleanup_(fd_closep) int dir_fd = -EBADF;
	if (cgroup_host_detect(&host, NULL) < 0 ||
	    cgroup_remove(&host, path, END_WAIT_MS, NULL) == 0)
		return;
	/* It was told to end and takes its time on a busy machine. */
	if (cgroup_create_plain(&host, path, &dir_fd, NULL) == 0)
		(void)cgroup_kill_dir(dir_fd);
	(void)cgroup_remove(&host, path, END_WAIT_MS, NULL); /* a rest is used again */
}

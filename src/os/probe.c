/* os/probe.c - see probe.h */
#include "os/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/caps.h"
#include "os/fd.h"
#include "os/idmap.h"
#include "os/mount.h"
#include "os/ns.h"
#include "os/pidfd.h"

static void end_child(int pidfd)
{
	int status;

	(void)pidfd_signal(pidfd, SIGKILL);
	(void)pidfd_reap(pidfd, true, &status);
}

int probe_userns(uint32_t base, uint32_t count)
{
	struct ns_clone args = { .flags = CLONE_NEWUSER, .cgroup_fd = -1, .pidfd = -EBADF };

	pid_t pid = ns_clone(&args);
	if (pid < 0)
		return (int)pid;
	if (pid == 0) {
		for (;;)
			(void)pause();
	}
	_cleanup_(fd_closep) int pidfd = args.pidfd;
	int r = idmap_write(pid, base, count);
	if (r == 0)
		r = ns_open(pid, "user");
	end_child(pidfd);
	return r;
}

static int unsupported(struct err *err, int fd, const char *path, const char *what)
{
	char fs[32];

	return err_kind(err, ERR_UNSUPPORTED, "\"%s\": its file system (%s) %s on this kernel",
			path, mount_fs_name(fd, fs), what);
}

/* In a mount namespace of its own, with the layers' directory as working directory. */
static int try_overlay(int mount_fd, const char *path, uint32_t base, struct err *err)
{
	static const char options[] = "lowerdir=lower,upperdir=upper,workdir=work";
	struct stat st;

	if (fchdir(mount_fd) < 0)
		return err_set(err, -errno, "enter \"%s\"", path);
	int r = caps_keep_over_setuid(true);
	if (r < 0)
		return err_set(err, r, "keep capabilities");
	/* as anybody else the kernel could not make the work directory and would mount read-only */
	(void)setfsgid(base);
	(void)setfsuid(base);
	if (mount("overlay", "merged", "overlay", MS_NOSUID | MS_NODEV, options) < 0 ||
	    mkdir("merged/probe", 0755) < 0 || lstat("upper/probe", &st) < 0)
		return unsupported(err, mount_fd, path, "cannot carry overlay layers");
	if (st.st_uid != base)
		return unsupported(err, mount_fd, path, "mixes up owners in overlay layers");
	return 0;
}

/* A detached copy of the mount of @dir_fd with the ids of @userns_fd. */
static int open_layers(int dir_fd, const char *path, int userns_fd, struct err *err)
{
	_cleanup_(fd_closep) int mount_fd = mount_clone(dir_fd, "", false);

	if (mount_fd < 0)
		return err_set(err, mount_fd, "open mount of \"%s\"", path);
	if (mount_idmap(mount_fd, userns_fd) < 0)
		return unsupported(err, dir_fd, path, "has no idmapped mounts");
	return TAKE_FD(mount_fd);
}

/* In a process of its own; its end takes the mounts with it. */
static int try_in_namespace(int mount_fd, const char *path, uint32_t base, struct err *err)
{
	int r = mount_make_private();
	if (r == 0)
		r = mount_attach_at(mount_fd, "/");
	if (r < 0)
		return err_set(err, r, "attach \"%s\"", path);
	return try_overlay(mount_fd, path, base, err);
}

static int run_trial(int mount_fd, const char *path, uint32_t base, struct err *err)
{
	struct ns_clone args = { .flags = CLONE_NEWNS, .cgroup_fd = -1, .pidfd = -EBADF };
	struct err theirs = { 0 };
	int fds[2];

	int r = fd_pipe(fds);
	if (r < 0)
		return err_set(err, r, "make a pipe");
	_cleanup_(fd_closep) int read_fd = fds[0];
	_cleanup_(fd_closep) int write_fd = fds[1];
	pid_t pid = ns_clone(&args);
	if (pid < 0)
		return err_set(err, (int)pid, "make a mount namespace");
	if (pid == 0) {
		(void)try_in_namespace(mount_fd, path, base, &theirs);
		_exit(fd_write_all(write_fd, &theirs, sizeof(theirs)) < 0);
	}
	write_fd = fd_close(write_fd);
	ssize_t len = read(read_fd, &theirs, sizeof(theirs));
	_cleanup_(fd_closep) int pidfd = args.pidfd;
	end_child(pidfd);
	if (len != sizeof(theirs))
		return err_kind(err, ERR_INTERNAL, "try layers in \"%s\": the trial died", path);
	if (theirs.code < 0 && err)
		*err = theirs;
	return theirs.code;
}

int probe_layers(int dir_fd, const char *path, uint32_t base, uint32_t count, bool overlay,
		 struct err *err)
{
	_cleanup_(fd_closep) int userns_fd = probe_userns(base, count);

	if (userns_fd < 0)
		return err_set(err, userns_fd, "make a user namespace");
	_cleanup_(fd_closep) int mount_fd = open_layers(dir_fd, path, userns_fd, err);
	if (mount_fd < 0)
		return mount_fd;
	return overlay ? run_trial(mount_fd, path, base, err) : 0;
}

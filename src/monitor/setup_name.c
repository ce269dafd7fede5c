/* monitor/setup_name.c - phases before the first life: the name, the log, a clean process */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/mon.h"
#include "monitor/setup.h"
#include "os/fd.h"
#include "os/reset.h"
#include "os/sock.h"

enum {
	LOG_MAX_BYTES = 1024 * 1024
};

int setup_take_name(void *data, struct err *err)
{
	struct mon *mon = data;
	const char *dir = mon->spec.runtime_dir;
	int r;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "make \"%s\"", dir);
	mon->runtime_fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (mon->runtime_fd < 0)
		return err_set(err, -errno, "open \"%s\"", dir);
	mon->lock_fd =
		openat(mon->runtime_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (mon->lock_fd < 0)
		return err_set(err, -errno, "open \"%s/lock\"", dir);
	if (flock(mon->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_set(err, -errno, "lock \"%s/lock\"", dir);
		return err_kind(err, ERR_CONFLICT, "a monitor of \"%s\" is running", mon->name);
	}
	r = sock_listen_at(mon->runtime_fd, "ctl.sock", SOCK_SEQPACKET, 0600);
	if (r < 0)
		return err_set(err, r, "listen on \"%s/ctl.sock\"", dir);
	return ctl_listen(&mon->ctl, r, err);
}

/* An old log makes room once it is big. */
static int open_log_file(const char *dir)
{
	_cleanup_(fd_closep) int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int fd;

	if (dir_fd < 0)
		return -errno;
	if (fstatat(dir_fd, "monitor.log", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_size > LOG_MAX_BYTES)
		(void)renameat(dir_fd, "monitor.log", dir_fd, "monitor.log.1");
	fd = openat(dir_fd, "monitor.log", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	return fd < 0 ? -errno : fd;
}

int setup_open_log(void *data, struct err *err)
{
	struct mon *mon = data;
	const char *dir = mon->spec.log_dir;

	if (dir) {
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return err_set(err, -errno, "make \"%s\"", dir);
		mon->log_fd = open_log_file(dir);
		if (mon->log_fd < 0)
			return err_set(err, mon->log_fd, "open \"%s/monitor.log\"", dir);
		/* From here on our words outlive whoever started us. */
		if (dup3(mon->log_fd, STDERR_FILENO, O_CLOEXEC) < 0)
			return err_set(err, -errno, "redirect to \"%s/monitor.log\"", dir);
		log_set_times(true);
	}
	return conlog_open(&mon->console.log, mon->spec.console_log, mon->spec.console_log_max,
			   err);
}

int setup_reset(void *data, struct err *err)
{
	(void)data; /* of the process, not of the container: every life inherits it */
	return reset_privileged(err);
}

int setup_environment(struct mon *mon, const struct inst_spec *spec, struct err *err)
{
	int fd = -EBADF;
	int r = session_make_environment_fd(&spec->environment, &fd, err);

	if (r < 0)
		return r;
	(void)fd_close(mon->environment_fd);
	mon->environment_fd = fd;
	return 0;
}

int setup_filter(struct mon *mon, const struct inst_spec *spec, struct err *err)
{
	int fd = -EBADF;
	int r = session_make_seccomp_fd(&spec->seccomp, &fd, err);

	if (r < 0)
		return r;
	(void)fd_close(mon->seccomp_fd);
	mon->seccomp_fd = fd;
	return 0;
}

int setup_sessions(void *data, struct err *err)
{
	struct mon *mon = data;
	struct log_keys keys = mon_keys(mon, "sessions");
	int r = setup_filter(mon, &mon->spec, err);

	if (r == 0)
		r = setup_environment(mon, &mon->spec, err);
	if (r < 0)
		return r;
	/* A container without exec is better than none. */
	r = session_open_program(&mon->exec_program_fd, err);
	if (r < 0)
		log_warn(keys, "no exec: %s", err_text(err, r));
	return 0;
}

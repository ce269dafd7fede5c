/* exec/run.c - see run.h */
#include "exec/run.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "exec/command.h"
#include "exec/user.h"
#include "os/caps.h"
#include "os/fd.h"
#include "os/path.h"
#include "os/pty.h"
#include "os/reset.h"
#include "os/seccomp.h"
#include "os/sock.h"
#include "os/unotify.h"

enum {
	TTY_MODE = 0620
};

/* What we were handed must not lead out of the container, nor to the caller's terminal. */
static int check_stdio(struct err *err)
{
	for (int fd = 0; fd < 3; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0)
			return err_set(err, -errno, "descriptor %d of the command", fd);
		if (S_ISDIR(st.st_mode))
			return err_kind(err, ERR_INVALID, "descriptor %d is a directory", fd);
		if (isatty(fd))
			return err_kind(err, ERR_INVALID,
					"descriptor %d is a terminal: ask for an interactive "
					"session, which makes one inside",
					fd);
	}
	return 0;
}

static int send_fd(enum exec_report_kind kind, int fd)
{
	struct exec_report report = { .kind = kind };
	struct iovec iov = { .iov_base = &report, .iov_len = sizeof(report) };

	return sock_send(EXEC_FD_REPORT, &iov, 1, &fd, 1);
}

static int use_as_stdio(int slave_fd)
{
	for (int fd = 0; fd < 3; fd++)
		if (dup3(slave_fd, fd, 0) < 0)
			return -errno;
	return 0;
}

/* A new terminal of the container's own devpts; its master goes to the monitor. */
static int make_terminal(const struct session_spec *spec, const struct user *user, struct err *err)
{
	_cleanup_(fd_closep) int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(fd_closep) int master_fd = -EBADF;
	_cleanup_(fd_closep) int slave_fd = -EBADF;
	struct stat st;
	int r;

	master_fd = root_fd < 0 ? -errno : pty_open_master(root_fd, "dev/pts/ptmx");
	if (master_fd < 0)
		return err_set(err, master_fd, "open /dev/pts/ptmx of the container");
	slave_fd = pty_open_peer(master_fd);
	if (slave_fd < 0)
		return err_set(err, slave_fd, "open the new terminal");
	if (fstat(slave_fd, &st) < 0 || fchown(slave_fd, user->uid, st.st_gid) < 0 ||
	    fchmod(slave_fd, TTY_MODE) < 0)
		return err_set(err, -errno, "give the new terminal to its user");
	if (spec->width > 0 && spec->height > 0) {
		r = pty_set_size(slave_fd, spec->width, spec->height);
		if (r < 0)
			return err_set(err, r, "set the size of the new terminal");
	}
	r = pty_take(slave_fd);
	if (r < 0)
		return err_set(err, r, "make the new terminal the controlling one");
	r = send_fd(EXEC_REPORT_MASTER, master_fd);
	if (r < 0)
		return err_set(err, r, "send the new terminal");
	r = use_as_stdio(slave_fd);
	return r < 0 ? err_set(err, r, "use the new terminal") : 0;
}

/*
 * Go to @path without a magic link on the way (/proc/self/fd/N), and see that it lies below our
 * root: whatever /proc the container has mounted there, the kernel knows.
 */
static int change_dir(const char *path)
{
	_cleanup_(fd_closep) int fd = path_openat2(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC,
						   0, RESOLVE_NO_MAGICLINKS);
	char cwd[4096];

	if (fd < 0)
		return fd;
	if (fchdir(fd) < 0)
		return -errno;
	if (!getcwd(cwd, sizeof(cwd)))
		return -errno;
	return cwd[0] == '/' ? 0 : -EXDEV; /* else it is "(unreachable)/..." */
}

static int enter_cwd(const struct session_spec *spec, const struct user *user, struct err *err)
{
	int r;

	if (spec->cwd) {
		if (spec->cwd[0] != '/')
			return err_kind(err, ERR_INVALID,
					"working directory \"%.256s\": must be "
					"an absolute path",
					spec->cwd);
		r = change_dir(spec->cwd);
		return r < 0 ? err_set(err, r, "working directory \"%.256s\"", spec->cwd) : 0;
	}
	if (user->has_entry && user->entry.home[0] == '/' && change_dir(user->entry.home) == 0)
		return 0;
	r = change_dir("/");
	return r < 0 ? err_set(err, r, "working directory \"/\"") : 0;
}

/* Where it is not to be had, the command gets the kernel's answers. */
static int intercept(uint32_t calls)
{
	_cleanup_(fd_closep) int fd = unotify_listen(calls);

	return fd < 0 ? 0 : send_fd(EXEC_REPORT_LISTENER, fd);
}

/* Everything that the command may not have, while we may still take it away. */
static int confine(const struct run_context *context, struct err *err)
{
	int r = caps_drop(~context->params.cap_bounding);

	if (r < 0)
		return err_set(err, r, "drop capabilities");
	r = context->params.intercepts ? intercept(context->params.intercepts) : 0;
	if (r < 0)
		return err_set(err, r, "send the listener of its system calls");
	r = seccomp_install(context->seccomp.data, context->seccomp.len);
	return r < 0 ? err_set(err, r, "install the seccomp filter") : 0;
}

static int try_execute(void *data, const char *path)
{
	const struct command *command = data;

	(void)execve(path, command->argv, command->envp);
	return -errno;
}

static int execute(const struct run_context *context, const struct user *user, int *ret_exit_status,
		   struct err *err)
{
	struct command command;
	int r = command_make(&context->spec, context->environment.data, context->environment.len,
			     user->has_entry ? &user->entry : NULL, &command);

	if (r < 0)
		return err_kind(err, ERR_INVALID, "no command");
	/* the report's own descriptor stays to tell of a failure; the exec closes it */
	r = fd_cloexec_from(3);
	if (r < 0)
		return err_set(err, r, "close what the command must not have");
	r = command_search(&command, try_execute, &command);
	*ret_exit_status = command_exit_status(r);
	r = err_set(err, r, "run \"%.256s\"", command.path ? command.path : command.argv[0]);
	command_done(&command);
	return r;
}

int run_command(const struct run_context *context, int *ret_exit_status, struct err *err)
{
	const struct session_spec *spec = &context->spec;
	struct user user;
	int r;

	*ret_exit_status = 0;
	if (setsid() < 0)
		return err_set(err, -errno, "begin a session");
	r = user_resolve(spec, &user, err);
	if (r == 0)
		r = spec->interactive ? make_terminal(spec, &user, err) : check_stdio(err);
	if (r == 0)
		r = confine(context, err);
	if (r == 0)
		r = user_become(&user, err);
	/* the change of ids may have made us dumpable again (sysctl fs.suid_dumpable) */
	if (r == 0 && (r = caps_set_nondumpable()) < 0)
		return err_set(err, r, "become non-dumpable");
	if (r == 0)
		r = enter_cwd(spec, &user, err);
	if (r == 0)
		r = reset_inherited(err);
	if (r == 0)
		r = execute(context, &user, ret_exit_status, err);
	return r;
}

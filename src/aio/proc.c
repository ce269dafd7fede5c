/*
 * aio/proc.c - child programs (aio, sysctrd; waits for the exec, never for the child)
 */
#include "aio/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aio/handle.h"
#include "aio/poll.h"
#include "base/mem.h"
#include "os/fd.h"
#include "os/pidfd.h"

enum {
	ABOVE_ALL_TARGETS = 64
}; /* copies of descriptors before each goes to its place */

struct aio_proc {
	struct list node; /* of the loop's children */
	pid_t pid;
	int pidfd;
	struct aio_poll *poll;
	bool ended;
	bool freed; /* by its owner; the memory stays until the child is reaped */
	aio_proc_fn fn;
	void *data;
};

static void destroy(struct aio_proc *proc)
{
	list_remove(&proc->node);
	proc->poll = aio_poll_free(proc->poll);
	(void)fd_close(proc->pidfd);
	free(proc);
}

static void on_pidfd(void *data, unsigned int ready)
{
	struct aio_proc *proc = data;
	int status = 0;

	(void)ready;
	if (pidfd_reap(proc->pidfd, 0, &status) == -EAGAIN)
		return;
	proc->ended = true;
	if (proc->freed) {
		destroy(proc);
		return;
	}
	proc->poll = aio_poll_free(proc->poll);
	proc->fn(proc->data, status);
}

/* ---- spawning ---- */

/* @program as it is, or found in the system's directories; posix_spawnp would search our PATH. */
static char *find_program(const char *program)
{
	static const char *const dirs[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
					    "/usr/bin",	       "/sbin",		 "/bin" };

	if (strchr(program, '/'))
		return xstrdup(program);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		char *path = xasprintf("%s/%s", dirs[i], program);

		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

/* The child's descriptors: first copies out of each other's way, then each to its place. */
struct placement {
	posix_spawn_file_actions_t actions;
	int copies[AIO_PROC_FDS_MAX];
	size_t n;
};

static int place(struct placement *placement, const struct aio_proc_spec *spec, int null_fd)
{
	size_t n = MAX(spec->n_fds, 3);

	for (size_t i = 0; i < n; i++) {
		int fd = i < spec->n_fds ? spec->fds[i] : i == STDERR_FILENO ? STDERR_FILENO : -1;
		int copy = fd_copy(fd < 0 ? null_fd : fd, ABOVE_ALL_TARGETS);

		if (copy < 0)
			return copy;
		placement->copies[placement->n++] = copy;
		if (posix_spawn_file_actions_adddup2(&placement->actions, copy, (int)i) != 0)
			return -ENOMEM;
	}
	if (posix_spawn_file_actions_addchdir_np(&placement->actions,
						 spec->cwd ? spec->cwd : "/") != 0)
		return -ENOMEM;
	return 0;
}

/* Everything that a child could inherit by accident is reset. */
static void fill_attributes(posix_spawnattr_t *attributes)
{
	sigset_t all, none;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	(void)posix_spawnattr_init(attributes);
	(void)posix_spawnattr_setsigdefault(attributes, &all);
	(void)posix_spawnattr_setsigmask(attributes, &none);
	(void)posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF |
							   POSIX_SPAWN_SETSIGMASK);
}

static int spawn(const char *path, const struct aio_proc_spec *spec, struct placement *placement,
		 pid_t *ret_pid)
{
	static const char *const default_env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LC_ALL=C.UTF-8",
		NULL,
	};
	posix_spawnattr_t attributes;
	int rc;

	fill_attributes(&attributes);
	rc = posix_spawn(ret_pid, path, &placement->actions, &attributes,
			 (char *const *)(uintptr_t)spec->argv,
			 (char *const *)(uintptr_t)(spec->env ? spec->env : default_env));
	(void)posix_spawnattr_destroy(&attributes);
	return -rc;
}

static int place_and_spawn(const struct aio_proc_spec *spec, pid_t *ret_pid)
{
	_cleanup_(freep) char *path = find_program(spec->program);
	_cleanup_(fd_closep) int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct placement placement = { 0 };
	int rc;

	if (!path)
		return -ENOENT;
	if (null_fd < 0)
		return -errno;
	(void)posix_spawn_file_actions_init(&placement.actions);
	rc = place(&placement, spec, null_fd);
	if (rc == 0)
		rc = spawn(path, spec, &placement, ret_pid);
	(void)posix_spawn_file_actions_destroy(&placement.actions);
	for (size_t i = 0; i < placement.n; i++)
		(void)fd_close(placement.copies[i]);
	return rc;
}

int aio_proc_spawn(struct aio_loop *loop, const struct aio_proc_spec *spec, aio_proc_fn fn,
		   void *data, struct aio_proc **ret_proc, struct err *err)
{
	struct aio_proc *proc;
	pid_t pid;
	int pidfd, rc;

	if (spec->n_fds > AIO_PROC_FDS_MAX)
		return err_set(err, -E2BIG, "run %s: descriptors", spec->program);
	rc = place_and_spawn(spec, &pid);
	if (rc < 0)
		return err_set(err, rc, "run %s", spec->program);
	pidfd = pidfd_of(pid);
	if (pidfd < 0) {
		(void)kill(pid, SIGKILL); /* not reaped yet: the number is still its own */
		(void)waitpid(pid, NULL, 0);
		return err_set(err, pidfd, "run %s: watch it", spec->program);
	}
	proc = xcalloc(1, sizeof(*proc));
	list_init(&proc->node);
	proc->pid = pid;
	proc->pidfd = pidfd;
	proc->fn = fn;
	proc->data = data;
	proc->poll = aio_poll_new(loop, pidfd, on_pidfd, proc);
	aio_poll_set(proc->poll, AIO_READ);
	list_append(&loop->children, &proc->node);
	*ret_proc = proc;
	return 0;
}

pid_t aio_proc_pid(const struct aio_proc *proc)
{
	return proc->ended ? 0 : proc->pid;
}

int aio_proc_kill(struct aio_proc *proc, int signum)
{
	if (proc->ended)
		return -ESRCH;
	return pidfd_signal(proc->pidfd, signum);
}

struct aio_proc *aio_proc_free(struct aio_proc *proc)
{
	if (!proc)
		return NULL;
	proc->freed = true;
	if (proc->ended)
		destroy(proc);
	else
		aio_poll_unref(proc->poll);
	return NULL;
}

void aio_proc_abandon_all(struct aio_loop *loop)
{
	while (!list_empty(&loop->children))
		destroy(list_entry(loop->children.next, struct aio_proc, node));
}

const char *aio_status_text(char out[AIO_STATUS_LEN], int wait_status)
{
	if (WIFSIGNALED(wait_status))
		(void)snprintf(out, AIO_STATUS_LEN, "was killed by signal %d",
			       WTERMSIG(wait_status));
	else
		(void)snprintf(out, AIO_STATUS_LEN, "exited with %d", WEXITSTATUS(wait_status));
	return out;
}

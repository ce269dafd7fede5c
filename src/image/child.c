/* image/child.c - see child.h */
#include "image/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fd.h"

enum {
	STATUS_NO_EXEC = 127
};

/* Make @fd the descriptor @number, inherited by programs. */
static int become_stdio(int fd, int number)
{
	if (fd == number)
		return fd_set_cloexec(fd, false);
	return dup3(fd, number, 0) < 0 ? -errno : 0;
}

_Noreturn static void become(const char *const *argv, const char *const *env, int in, int out)
{
	if (in < 0)
		in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (become_stdio(in, STDIN_FILENO) == 0 &&
	    (out < 0 || become_stdio(out, STDOUT_FILENO) == 0))
		(void)execve(argv[0], (char *const *)argv, (char *const *)env);
	_exit(STATUS_NO_EXEC);
}

static int await(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int child_run_to(const char *const *argv, const char *const *env, int stdin_fd, int stdout_fd)
{
	pid_t pid;

	if (access(argv[0], X_OK) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		become(argv, env, stdin_fd, stdout_fd);
	return await(pid);
}

int child_run(const char *const *argv, const char *const *env, int stdin_fd)
{
	return child_run_to(argv, env, stdin_fd, -EBADF);
}

int child_read(const char *const *argv, const char *const *env, size_t max_bytes, struct buf *out)
{
	_cleanup_(fd_closep) int reader = -EBADF;
	_cleanup_(fd_closep) int writer = -EBADF;
	int fds[2], r, status;
	pid_t pid;

	r = fd_pipe(fds);
	if (r < 0)
		return r;
	reader = fds[0];
	writer = fds[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		become(argv, env, -EBADF, writer);
	writer = fd_close(writer);
	r = fd_read_all(reader, max_bytes, out);
	/* a writer that is not read to its end gets SIGPIPE */
	reader = fd_close(reader);
	status = await(pid);
	return r < 0 ? r : status;
}

int child_redirect(int log_fd)
{
	int r = become_stdio(log_fd, STDOUT_FILENO);

	return r < 0 ? r : become_stdio(log_fd, STDERR_FILENO);
}

const char *child_find(const char *const *paths)
{
	for (size_t i = 0; paths[i]; i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	return NULL;
}

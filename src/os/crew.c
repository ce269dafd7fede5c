/* os/crew.c - see crew.h */
#include "os/crew.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "os/fd.h"
#include "os/sock.h"

struct failure {
	int r;
	char what[PATH_MAX];
};

/* Both pairs: the first end is the finder's. */
struct pairs {
	int work[2], failure[2];
};

static void tell(int fd, const struct failure *failure)
{
	const struct iovec iov = { (void *)failure, sizeof(*failure) };

	(void)sock_send(fd, &iov, 1, NULL, 0); /* nobody listens any more: nobody wants to know */
}

static _Noreturn void work_on(const struct pairs *pairs, crew_fn *work, void *data)
{
	static char bytes[CREW_BYTES_MAX];
	static struct failure failure;
	int fds[CREW_FDS_MAX];
	size_t n_fds = 0;
	ssize_t len;

	while ((len = sock_recv(pairs->work[1], bytes, sizeof(bytes), fds, CREW_FDS_MAX, &n_fds)) >
	       0) {
		failure.r = work(data, bytes, (size_t)len, fds, n_fds, failure.what);
		for (size_t i = 0; i < n_fds; i++)
			(void)fd_close(fds[i]);
		if (failure.r < 0)
			break;
	}
	if (len < 0)
		failure.r = (int)len;
	if (failure.r < 0)
		tell(pairs->failure[1], &failure);
	_exit(failure.r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

static pid_t start_one(const struct pairs *pairs, crew_fn *work, void *data)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid < 0 ? -errno : pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	(void)fd_close(pairs->work[0]);
	(void)fd_close(pairs->failure[0]);
	work_on(pairs, work, data);
}

size_t crew_size(void)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return 1;
	return (size_t)MIN(CPU_COUNT(&allowed), CREW_MAX);
}

int crew_start(struct crew *ret_crew, size_t n, crew_fn *work, void *data)
{
	struct pairs pairs;
	int r = sock_pair(pairs.work);

	if (r < 0)
		return r;
	r = sock_pair(pairs.failure);
	if (r < 0) {
		(void)fd_close(pairs.work[0]);
		(void)fd_close(pairs.work[1]);
		return r;
	}
	*ret_crew = (struct crew){ .work_fd = pairs.work[0], .failure_fd = pairs.failure[0] };
	r = fd_set_nonblock(pairs.work[0]);
	while (r == 0 && ret_crew->n < n) {
		pid_t pid = start_one(&pairs, work, data);

		if (pid < 0)
			r = pid;
		else
			ret_crew->pids[ret_crew->n++] = pid;
	}
	(void)fd_close(pairs.work[1]);
	(void)fd_close(pairs.failure[1]);
	if (r < 0)
		crew_abort(ret_crew);
	return r;
}

/* Reap them all. Returns: whether each has exited without a failure. */
static bool reap(struct crew *crew)
{
	bool fine = true;

	crew->work_fd = fd_close(crew->work_fd);
	crew->failure_fd = fd_close(crew->failure_fd);
	for (size_t i = 0; i < crew->n; i++) {
		int status = -1;

		while (waitpid(crew->pids[i], &status, 0) < 0 && errno == EINTR)
			;
		fine = fine && status == 0;
	}
	crew->n = 0;
	return fine;
}

void crew_abort(struct crew *crew)
{
	for (size_t i = 0; i < crew->n; i++)
		(void)kill(crew->pids[i], SIGKILL);
	if (crew->n > 0)
		(void)reap(crew);
}

/* One has failed, or all have ended. Returns: -EAGAIN, neither is so. */
static int read_failure(struct crew *crew, char *ret_what)
{
	struct failure failure;
	ssize_t len = recv(crew->failure_fd, &failure, sizeof(failure), MSG_DONTWAIT);

	if (len < 0)
		return -errno;
	if (len < (ssize_t)sizeof(failure))
		return reap(crew) ? 0 : -EIO;
	crew_abort(crew);
	(void)snprintf(ret_what, PATH_MAX, "%s", failure.what);
	return failure.r;
}

int crew_hand(struct crew *crew, const char *bytes, size_t len, const int *fds, size_t n_fds,
	      int timeout_ms, char *ret_what)
{
	const struct iovec iov = { (void *)bytes, len };
	struct pollfd polls[2] = { { crew->work_fd, POLLOUT, 0 }, { crew->failure_fd, POLLIN, 0 } };

	if (poll(polls, ARRAY_LEN(polls), timeout_ms) < 0 && errno != EINTR)
		return -errno;
	if (polls[1].revents != 0) {
		int r = read_failure(crew, ret_what);
		return r == 0 ? -EIO : r; /* not told to end */
	}
	int r = sock_send(crew->work_fd, &iov, 1, fds, n_fds);
	/* they have ended meanwhile: the next one hears why */
	return r == -EPIPE || r == -ECONNRESET ? -EAGAIN : r;
}

int crew_finish(struct crew *crew, int timeout_ms, char *ret_what)
{
	struct pollfd poll_fd = { crew->failure_fd, POLLIN, 0 };

	crew->work_fd = fd_close(crew->work_fd); /* what was handed over is read first */
	if (poll(&poll_fd, 1, timeout_ms) < 0 && errno != EINTR)
		return -errno;
	return poll_fd.revents != 0 ? read_failure(crew, ret_what) : -EAGAIN;
}

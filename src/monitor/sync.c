/* monitor/sync.c - see sync.h */
#include "monitor/sync.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>

#include "os/fd.h"
#include "os/sock.h"

static const char *const kind_names[] = {
	[SYNC_IDS] = "ids",	    [SYNC_ROOT] = "root", [SYNC_CONSOLE] = "console",
	[SYNC_PIVOTED] = "pivoted", [SYNC_GO] = "go",	  [SYNC_EXEC] = "exec",
	[SYNC_FAILED] = "failed",
};
static_assert(ARRAY_LEN(kind_names) == SYNC_KIND_MAX, "one name per kind");

const char *sync_kind_name(enum sync_kind kind)
{
	return kind_names[kind];
}

int sync_send(int sync_fd, enum sync_kind kind, int fd, const struct err *err)
{
	struct sync_msg msg = { .kind = kind };
	struct iovec iov = { .iov_base = &msg, .iov_len = sizeof(msg) };

	if (err)
		msg.err = *err;
	return sock_send(sync_fd, &iov, 1, &fd, fd >= 0 ? 1 : 0);
}

int sync_recv(int sync_fd, int timeout_ms, struct sync_msg *ret_msg, int *ret_fd)
{
	struct pollfd pfd = { .fd = sync_fd, .events = POLLIN };
	size_t n_fds = 0;
	int fd = -EBADF;
	ssize_t n;
	int r;

	do
		r = poll(&pfd, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	n = sock_recv(sync_fd, ret_msg, sizeof(*ret_msg), &fd, 1, &n_fds);
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(*ret_msg) || ret_msg->kind >= SYNC_KIND_MAX) {
		(void)fd_close(n_fds > 0 ? fd : -EBADF);
		return n < 0 ? (int)n : -EBADMSG;
	}
	ret_msg->err.msg[sizeof(ret_msg->err.msg) - 1] = '\0';
	*ret_fd = n_fds > 0 ? fd : -EBADF;
	return 1;
}

int sync_expect(int sync_fd, enum sync_kind kind, int *ret_fd)
{
	_cleanup_(fd_closep) int fd = -EBADF;
	struct sync_msg msg;
	int r = sync_recv(sync_fd, -1, &msg, &fd);

	if (r <= 0)
		return r < 0 ? r : -ECONNABORTED;
	if (msg.kind != kind)
		return -EBADMSG;
	if (ret_fd)
		*ret_fd = TAKE_FD(fd);
	return 0;
}

/* client/fdlink.c - see fdlink.h */
#include "client/fdlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "client/client.h"
#include "client/http.h"

#define PROTOCOL "sysctr-fds"

enum {
	LINES_MAX = 256 * 1024,
	READ_SIZE = 4096
};

struct fdlink {
	int fd;
	int passed_fds[FDLINK_KEEP_MAX];
	size_t n_passed;
	struct buf in;
};

static int send_fds(int fd, const int *fds, size_t n_fds)
{
	union {
		char bytes[CMSG_SPACE(FDLINK_SEND_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = (char *)"\n", .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *head;
	ssize_t n;

	if (n_fds > 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		head = CMSG_FIRSTHDR(&msg);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(head), fds, n_fds * sizeof(int));
	}
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static void keep_fd(struct fdlink *link, int fd)
{
	if (fd >= 0 && link->n_passed < FDLINK_KEEP_MAX)
		link->passed_fds[link->n_passed++] = fd;
	else if (fd >= 0)
		(void)close(fd);
}

static int open_link(const struct client *client, const struct http_request *request,
		     const int *fds, size_t n_fds, struct client_reply *reply,
		     struct fdlink **ret_link, struct err *err)
{
	_cleanup_(http_closep) struct http_conn *conn = NULL;
	struct fdlink *link;
	int fd = -EBADF;
	int r = client_upgrade(client, request, reply, &conn, err);

	if (r != 0)
		return r;
	link = xcalloc(1, sizeof(*link));
	link->fd = http_take_fd(TAKE_PTR(conn), &link->in, &fd);
	keep_fd(link, fd);
	r = send_fds(link->fd, fds, n_fds);
	if (r < 0) {
		(void)fdlink_free(link);
		return err_set(err, r, "hand over descriptors");
	}
	*ret_link = link;
	return 0;
}

int fdlink_open(const struct client *client, const char *target, const int *fds, size_t n_fds,
		struct fdlink **ret_link, struct err *err)
{
	struct http_request request = { .method = "GET", .target = target, .upgrade = PROTOCOL };

	return open_link(client, &request, fds, n_fds, NULL, ret_link, err);
}

int fdlink_post(const struct client *client, const struct fdlink_start *start, const int *fds,
		size_t n_fds, struct fdlink **ret_link, struct err *err)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	_cleanup_(freep) char *text = json_dumps(start->body, JSON_COMPACT);
	struct http_request request = {
		.method = "POST",
		.target = start->target,
		.headers = headers,
		.body = text,
		.body_len = strlen(text),
		.upgrade = PROTOCOL,
	};

	return open_link(client, &request, fds, n_fds, start->reply, ret_link, err);
}

int fdlink_fd(const struct fdlink *link)
{
	return link->fd;
}

int fdlink_send(struct fdlink *link, const char *line)
{
	_cleanup_(freep) char *text = xasprintf("%s\n", line);
	size_t len = strlen(text), done = 0;

	while (done < len) {
		ssize_t n = send(link->fd, text + done, len - done, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += (size_t)MAX(n, 0);
	}
	return 0;
}

/* Keep the descriptors of @msg. */
static void take_passed(struct fdlink *link, struct msghdr *msg)
{
	int fd;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
		    c->cmsg_len != CMSG_LEN(sizeof(int)))
			continue;
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
		keep_fd(link, fd);
	}
}

int fdlink_process(struct fdlink *link)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;

	for (;;) {
		struct iovec iov = { .iov_base = buf_reserve(&link->in, READ_SIZE),
				     .iov_len = READ_SIZE };
		struct msghdr msg = { .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = control.bytes,
				      .msg_controllen = sizeof(control.bytes) };
		ssize_t n = recvmsg(link->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : errno == ECONNRESET ? 1 : -errno;
		take_passed(link, &msg);
		if (n == 0)
			return 1;
		link->in.len += (size_t)n;
		link->in.data[link->in.len] = '\0';
		if (link->in.len > LINES_MAX)
			return -EPROTO;
	}
}

char *fdlink_line(struct fdlink *link)
{
	char *end = link->in.len ? memchr(link->in.data, '\n', link->in.len) : NULL;
	char *line;

	if (!end)
		return NULL;
	line = xstrndup(link->in.data, (size_t)(end - link->in.data));
	buf_consume(&link->in, (size_t)(end + 1 - link->in.data));
	return line;
}

int fdlink_take_fd(struct fdlink *link)
{
	int fd = link->n_passed > 0 ? link->passed_fds[0] : -EBADF;

	if (fd < 0)
		return fd;
	link->n_passed--;
	memmove(link->passed_fds, link->passed_fds + 1, link->n_passed * sizeof(int));
	return fd;
}

struct fdlink *fdlink_free(struct fdlink *link)
{
	if (!link)
		return NULL;
	if (link->fd >= 0)
		(void)close(link->fd);
	for (size_t i = 0; i < link->n_passed; i++)
		(void)close(link->passed_fds[i]);
	buf_done(&link->in);
	free(link);
	return NULL;
}

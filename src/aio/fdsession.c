/*
 * aio/fdsession.c - "Upgrade: sysctr-fds": descriptors, then lines of text (aio, sysctrd)
 */
#include "aio/fdsession.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aio/handle.h"
#include "aio/poll.h"
#include "base/mem.h"
#include "os/fd.h"
#include "os/sock.h"

struct line {
	struct list node;
	struct buf text; /* what is left of it */
	int fd;		 /* goes with its first byte */
};

struct fdsession {
	struct aio_loop *loop;
	struct http_stream *stream;
	struct aio_poll *poll;
	const struct fdsession_handler *handler;
	void *data;
	struct list queue;
	size_t queued_bytes;
	struct buf inbox;
	bool has_fds;
	bool closing;
	bool over;
	unsigned int depth; /* of handlers running; free only marks */
	bool freed;
};

static void line_free(struct line *line)
{
	list_remove(&line->node);
	(void)fd_close(line->fd);
	buf_done(&line->text);
	free(line);
}

static void release(struct fdsession *session)
{
	session->poll = aio_poll_free(session->poll);
	session->stream = http_stream_free(session->stream);
	while (!list_empty(&session->queue))
		line_free(list_entry(session->queue.next, struct line, node));
	buf_done(&session->inbox);
}

static void leave(struct fdsession *session)
{
	if (--session->depth == 0 && session->freed)
		free(session);
}

/* Before on_fds nobody owns the session but itself. */
static void end(struct fdsession *session)
{
	if (session->over || session->freed)
		return;
	session->over = true;
	session->freed = !session->has_fds;
	release(session);
	session->handler->on_closed(session->data);
}

static ssize_t send_some(int socket_fd, const struct line *line)
{
	union {
		struct cmsghdr header; /* for its alignment */
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { line->text.data, line->text.len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (line->fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &line->fd, sizeof(int));
	}
	return sendmsg(socket_fd, &msg, MSG_NOSIGNAL);
}

/* Errors are left to the reading side, which ends the session. */
static void flush(struct fdsession *session)
{
	while (session->stream && !list_empty(&session->queue)) {
		struct line *line = list_entry(session->queue.next, struct line, node);
		ssize_t n = send_some(http_stream_fd(session->stream), line);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			n = (ssize_t)line->text.len;
		session->queued_bytes -= (size_t)n;
		line->fd = fd_close(line->fd);
		buf_consume(&line->text, (size_t)n);
		if (line->text.len == 0)
			line_free(line);
	}
	if (session->poll)
		aio_poll_set(session->poll,
			     AIO_READ | (list_empty(&session->queue) ? 0 : AIO_WRITE));
}

static void take_lines(struct fdsession *session)
{
	while (!session->freed && !session->over && session->inbox.len > 0) {
		char *newline = memchr(session->inbox.data, '\n', session->inbox.len);

		if (!newline) {
			if (session->inbox.len > FDSESSION_LINE_MAX)
				end(session);
			return;
		}
		size_t len = (size_t)(newline - session->inbox.data);
		_cleanup_(freep) char *line = xstrndup(session->inbox.data, len);

		buf_consume(&session->inbox, len + 1);
		if (session->handler->on_line && !session->closing)
			session->handler->on_line(session->data, line);
	}
}

static void take_fds(struct fdsession *session, int *fds, size_t n_fds)
{
	session->has_fds = true;
	session->handler->on_fds(session->data, session, fds, n_fds);
}

static void read_some(struct fdsession *session)
{
	int fds[FDSESSION_FDS_MAX];
	size_t n_fds = 0;
	char *bytes = aio_loop_scratch(session->loop);
	/* The first byte alone: descriptors belong to it and nothing else. */
	size_t want = session->has_fds ? FDSESSION_LINE_MAX : 1;
	ssize_t n = sock_recv(http_stream_fd(session->stream), bytes, want, fds, FDSESSION_FDS_MAX,
			      &n_fds);

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n > 0 && !session->has_fds)
		take_fds(session, fds, n_fds);
	for (size_t i = 0; n >= 0 && i < n_fds; i++)
		(void)fd_close(fds[i]);
	if (n <= 0) {
		end(session);
	} else if (want > 1) {
		buf_add(&session->inbox, bytes, (size_t)n);
		take_lines(session);
	}
}

static void on_ready(void *data, unsigned int ready)
{
	struct fdsession *session = data;

	session->depth++;
	if (ready & AIO_WRITE)
		flush(session);
	if (session->closing && list_empty(&session->queue))
		end(session);
	if ((ready & AIO_READ) && !session->over && !session->freed)
		read_some(session);
	leave(session);
}

static void on_upgraded(void *data, struct http_stream *stream)
{
	struct fdsession *session = data;

	session->depth++;
	session->stream = stream;
	/* A client that did not wait for the 101 has lost its descriptors. */
	if (!stream || http_stream_early(stream)->len > 0) {
		end(session);
	} else {
		session->poll =
			aio_poll_new(session->loop, http_stream_fd(stream), on_ready, session);
		aio_poll_set(session->poll, AIO_READ);
	}
	leave(session);
}

bool fdsession_wanted(const struct http_req *req)
{
	const char *upgrade = http_req_header(req, "Upgrade");

	return upgrade && strcasecmp(upgrade, FDSESSION_PROTOCOL) == 0;
}

void fdsession_upgrade(struct http_req *req, const struct fdsession_handler *handler, void *data)
{
	struct fdsession *session = xcalloc(1, sizeof(*session));

	session->loop = http_req_loop(req);
	session->handler = handler;
	session->data = data;
	list_init(&session->queue);
	http_req_upgrade(req, FDSESSION_PROTOCOL, on_upgraded, session);
}

int fdsession_send(struct fdsession *session, const char *text, int fd)
{
	if (session->over || session->closing)
		return -EPIPE;
	if (session->queued_bytes > FDSESSION_QUEUE_MAX)
		return -ENOBUFS;
	int copy = fd >= 0 ? fd_copy(fd, 3) : -EBADF;

	if (fd >= 0 && copy < 0)
		return copy;
	struct line *line = xcalloc(1, sizeof(*line));

	buf_add_str(&line->text, text);
	buf_add_char(&line->text, '\n');
	line->fd = copy;
	session->queued_bytes += line->text.len;
	list_append(&session->queue, &line->node);
	flush(session);
	return 0;
}

void fdsession_close(struct fdsession *session)
{
	if (session->over || session->closing)
		return;
	session->closing = true;
	/* The next readiness for writing, now or when the queue is empty, ends it. */
	aio_poll_set(session->poll, AIO_READ | AIO_WRITE);
}

struct fdsession *fdsession_free(struct fdsession *session)
{
	if (!session)
		return NULL;
	release(session);
	session->freed = true;
	if (session->depth == 0)
		free(session);
	return NULL;
}

/*
 * aio/seqpkt.c - a connection of datagrams with descriptors (aio, sysctrd)
 */
#include "aio/seqpkt.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aio/handle.h"
#include "aio/poll.h"
#include "base/mem.h"
#include "os/fd.h"
#include "os/sock.h"

enum {
	SEND_BYTES_MAX = 200 * 1024,
	MESSAGES_PER_TURN = 32 /* then others have theirs */
};

struct datagram {
	struct list node;
	struct buf bytes;
	int fds[SEQPKT_FDS_MAX];
	size_t n_fds;
};

struct seqpkt {
	struct aio_loop *loop;
	int fd;
	struct aio_poll *poll;
	size_t max_bytes;
	const struct seqpkt_handler *handler;
	void *data;
	struct list queue;
	size_t queued;
	bool closed;	 /* on_closed was called, or will not be */
	bool in_handler; /* free() only marks; the dispatcher frees */
	bool freed;
};

static void datagram_free(struct datagram *datagram)
{
	for (size_t i = 0; i < datagram->n_fds; i++)
		(void)fd_close(datagram->fds[i]);
	buf_done(&datagram->bytes);
	free(datagram);
}

static void drop_queue(struct seqpkt *conn)
{
	while (!list_empty(&conn->queue)) {
		struct datagram *first = list_entry(conn->queue.next, struct datagram, node);

		list_remove(&first->node);
		datagram_free(first);
	}
	conn->queued = 0;
}

static void shut(struct seqpkt *conn)
{
	conn->closed = true;
	conn->poll = aio_poll_free(conn->poll);
	conn->fd = fd_close(conn->fd);
	drop_queue(conn);
}

static void end(struct seqpkt *conn, int code)
{
	shut(conn);
	conn->handler->on_closed(conn->data, code);
}

static int send_now(struct seqpkt *conn, const void *bytes, size_t len, const int *fds,
		    size_t n_fds)
{
	struct iovec iov = { (void *)(uintptr_t)bytes, len };

	return sock_send(conn->fd, &iov, 1, fds, n_fds);
}

/* Errors other than a full socket are left to the reading side, which ends the connection. */
static void flush(struct seqpkt *conn)
{
	while (!list_empty(&conn->queue)) {
		struct datagram *first = list_entry(conn->queue.next, struct datagram, node);

		if (send_now(conn, first->bytes.data, first->bytes.len, first->fds, first->n_fds) ==
		    -EAGAIN)
			return;
		list_remove(&first->node);
		datagram_free(first);
		conn->queued--;
	}
	aio_poll_set(conn->poll, AIO_READ);
}

/* Returns: whether there may be more to read. */
static bool receive(struct seqpkt *conn)
{
	int fds[SEQPKT_FDS_MAX];
	size_t n_fds = 0;
	char *bytes = aio_loop_scratch(conn->loop);
	ssize_t len = sock_recv(conn->fd, bytes, MIN(conn->max_bytes, AIO_SCRATCH_BYTES), fds,
				SEQPKT_FDS_MAX, &n_fds);

	if (len == -EAGAIN)
		return false;
	if (len == -EINTR)
		return true;
	if (len <= 0) {
		end(conn, len == -ECONNRESET ? 0 : (int)len);
		return false;
	}
	conn->handler->on_message(conn->data, bytes, (size_t)len, fds, n_fds);
	for (size_t i = 0; i < n_fds; i++)
		(void)fd_close(fds[i]);
	return !conn->closed;
}

static void on_ready(void *data, unsigned int ready)
{
	struct seqpkt *conn = data;

	conn->in_handler = true;
	if (ready & AIO_WRITE)
		flush(conn);
	for (int i = 0; i < MESSAGES_PER_TURN && receive(conn); i++)
		;
	conn->in_handler = false;
	if (conn->freed)
		free(conn);
}

struct seqpkt *seqpkt_new(struct aio_loop *loop, int fd, size_t max_bytes,
			  const struct seqpkt_handler *handler, void *data)
{
	struct seqpkt *conn = xcalloc(1, sizeof(*conn));

	conn->loop = loop;
	conn->fd = fd;
	conn->max_bytes = max_bytes;
	conn->handler = handler;
	conn->data = data;
	list_init(&conn->queue);
	conn->poll = aio_poll_new(loop, fd, on_ready, conn);
	if (!conn->poll)
		abort(); /* not a socket: our bug */
	aio_poll_set(conn->poll, AIO_READ);
	return conn;
}

static int enqueue(struct seqpkt *conn, const void *bytes, size_t len, const int *fds, size_t n_fds)
{
	if (conn->queued >= SEQPKT_QUEUE_MAX)
		return -ENOBUFS;
	struct datagram *datagram = xcalloc(1, sizeof(*datagram));

	list_init(&datagram->node);
	buf_add(&datagram->bytes, bytes, len);
	for (size_t i = 0; i < n_fds; i++) {
		int copy = fd_copy(fds[i], 3);

		if (copy < 0) {
			datagram_free(datagram);
			return copy;
		}
		datagram->fds[datagram->n_fds++] = copy;
	}
	list_append(&conn->queue, &datagram->node);
	conn->queued++;
	aio_poll_set(conn->poll, AIO_READ | AIO_WRITE);
	return 0;
}

int seqpkt_send(struct seqpkt *conn, const void *bytes, size_t len, const int *fds, size_t n_fds)
{
	if (conn->closed)
		return -EPIPE;
	if (len > SEND_BYTES_MAX || n_fds > SEQPKT_FDS_MAX)
		return -EMSGSIZE;
	if (conn->queued > 0)
		return enqueue(conn, bytes, len, fds, n_fds);
	int rc = send_now(conn, bytes, len, fds, n_fds);

	return rc == -EAGAIN ? enqueue(conn, bytes, len, fds, n_fds) : rc;
}

struct seqpkt *seqpkt_free(struct seqpkt *conn)
{
	if (!conn)
		return NULL;
	shut(conn);
	conn->freed = true;
	if (!conn->in_handler)
		free(conn);
	return NULL;
}

int seqpkt_pair(int ret_fds[2])
{
	int fds[2];
	int rc = sock_pair(fds);

	if (rc < 0)
		return rc;
	rc = fd_set_nonblock(fds[0]);
	if (rc < 0) {
		(void)fd_close(fds[0]);
		(void)fd_close(fds[1]);
		return rc;
	}
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return 0;
}

int seqpkt_connect(const char *path, int *ret_fd)
{
	_cleanup_(freep) char *for_dir = xstrdup(path);
	_cleanup_(freep) char *for_name = xstrdup(path);
	_cleanup_(fd_closep) int dir_fd = open(dirname(for_dir), O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0)
		return -errno;
	int fd = sock_connect_at(dir_fd, basename(for_name), SOCK_SEQPACKET);

	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

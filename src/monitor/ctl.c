/* monitor/ctl.c - see ctl.h */
#include "monitor/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "os/fd.h"
#include "os/sock.h"

enum {
	REQUESTS_AT_ONCE = 16,
	EVENT_TYPES_MAX = 64 /* bits of pending */
};

static void drop_conn(struct ctl_conn *conn)
{
	loop_remove(conn->ctl->loop, &conn->source);
	conn->fd = fd_close(conn->fd);
	conn->pending = 0;
}

/* Returns: 0, -EAGAIN, or another -errno after which the connection is gone. */
static int send_message(struct ctl_conn *conn, enum msg_type type, uint32_t serial,
			const struct msg *msg, const int *fds, size_t n_fds)
{
	struct ctl *ctl = conn->ctl;
	struct iovec iov;
	int r;

	ctl->out.len = 0;
	msg_encode(type, serial, msg, &ctl->out);
	if (ctl->out.len > MSG_BYTES_MAX)
		return -EMSGSIZE;
	log_trace(LOG_NONE, "send %s serial=%u conn=%u", msg_type_name(type), serial, conn->id);
	iov = (struct iovec){ .iov_base = ctl->out.data, .iov_len = ctl->out.len };
	r = sock_send(conn->fd, &iov, 1, fds, n_fds);
	if (r < 0 && r != -EAGAIN)
		drop_conn(conn);
	return r;
}

void ctl_answer(struct ctl_conn *conn, uint32_t serial, enum msg_type type, const struct msg *msg,
		const int *fds, size_t n_fds)
{
	if (!conn || conn->fd < 0)
		return;
	if (send_message(conn, type, serial, msg, fds, n_fds) == -EAGAIN)
		drop_conn(conn); /* K1 */
}

void ctl_answer_err(struct ctl_conn *conn, uint32_t serial, const struct err *err)
{
	struct msg msg = {
		.code = err->code ? err->code : -EIO,
		.kind = err->kind,
		.text = (char *)err_text(err, err->code),
	};

	ctl_answer(conn, serial, MSG_ERROR, &msg, NULL, 0);
}

/* Requests may have larger numbers than this, events have not. */
int ctl_send_event(struct ctl_conn *conn, enum msg_type type, const struct msg *msg)
{
	int r = send_message(conn, type, 0, msg, NULL, 0);

	if (r != -EAGAIN)
		return r;
	conn->pending |= UINT64_C(1) << type;
	(void)loop_change(conn->ctl->loop, &conn->source, EPOLLIN | EPOLLOUT);
	return r;
}

/* Tell what is pending, as long as it fits. */
static void flush_conn(struct ctl_conn *conn)
{
	uint64_t pending = conn->pending;

	conn->pending = 0;
	for (unsigned int type = 0; type < EVENT_TYPES_MAX && conn->fd >= 0; type++)
		if (pending & UINT64_C(1) << type)
			conn->ctl->event(conn->ctl->data, conn, type);
	if (conn->fd >= 0 && !conn->pending)
		(void)loop_change(conn->ctl->loop, &conn->source, EPOLLIN);
}

/* Returns: whether to go on with this connection. */
static bool take_request(struct ctl_conn *conn)
{
	struct ctl *ctl = conn->ctl;
	int fds[MSG_FDS_MAX] = { -EBADF, -EBADF, -EBADF, -EBADF };
	struct ctl_request request = { .conn = conn, .fds = fds };
	struct err err = { 0 };
	struct msg msg;
	ssize_t n = sock_recv(conn->fd, ctl->in, MSG_BYTES_MAX, fds, MSG_FDS_MAX, &request.n_fds);
	int r;

	if (n == -EAGAIN)
		return false;
	if (n <= 0) {
		drop_conn(conn);
		return false;
	}
	r = msg_decode(ctl->in, (size_t)n, &request.type, &request.serial, &msg, &err);
	if (r == 0) {
		request.msg = &msg;
		log_trace(LOG_NONE, "request %s serial=%u conn=%u", msg_type_name(request.type),
			  request.serial, conn->id);
		ctl->request(ctl->data, &request);
	} else {
		log_warn(LOG_NONE, "closing a connection: %s", err_text(&err, r));
		drop_conn(conn);
	}
	wire_free(&msg_schema, &msg);
	for (size_t i = 0; i < MSG_FDS_MAX; i++)
		(void)fd_close(fds[i]);
	return conn->fd >= 0;
}

static void serve_conn(struct ctl_conn *conn, uint32_t events)
{
	if (events & EPOLLOUT)
		flush_conn(conn);
	if (conn->fd < 0)
		return;
	if (!(events & EPOLLIN)) {
		if (events & (EPOLLHUP | EPOLLERR))
			drop_conn(conn);
		return;
	}
	for (int i = 0; i < REQUESTS_AT_ONCE; i++)
		if (!take_request(conn))
			return;
}

bool ctl_has_conns(const struct ctl *ctl)
{
	for (size_t i = 0; i < CTL_CONNS_MAX; i++)
		if (ctl->conns[i].fd >= 0)
			return true;
	return false;
}

static void on_conn(struct source *source, uint32_t events)
{
	struct ctl_conn *conn = container_of(source, struct ctl_conn, source);
	struct ctl *ctl = conn->ctl;

	serve_conn(conn, events);
	if (ctl->alone && !ctl_has_conns(ctl))
		ctl->alone(ctl->data);
}

static void on_listen(struct source *source, uint32_t events)
{
	struct ctl *ctl = container_of(source, struct ctl, source);
	int fd = sock_accept(ctl->listen_fd);

	(void)events; /* readable is all it can be */
	if (fd >= 0)
		(void)ctl_add(ctl, fd);
}

int ctl_init(struct ctl *ctl, struct loop *loop)
{
	ctl->loop = loop;
	ctl->listen_fd = -EBADF;
	source_init(&ctl->source);
	for (size_t i = 0; i < CTL_CONNS_MAX; i++) {
		ctl->conns[i].ctl = ctl;
		ctl->conns[i].fd = -EBADF;
		source_init(&ctl->conns[i].source);
	}
	ctl->in = xmalloc(MSG_BYTES_MAX);
	buf_reserve(&ctl->out, MSG_BYTES_MAX);
	return 0;
}

void ctl_done(struct ctl *ctl)
{
	loop_remove(ctl->loop, &ctl->source);
	ctl->listen_fd = fd_close(ctl->listen_fd);
	for (size_t i = 0; i < CTL_CONNS_MAX; i++)
		drop_conn(&ctl->conns[i]);
	free(ctl->in);
	ctl->in = NULL;
	buf_done(&ctl->out);
}

int ctl_listen(struct ctl *ctl, int listen_fd, struct err *err)
{
	int r;

	ctl->listen_fd = listen_fd;
	r = loop_add(ctl->loop, &ctl->source, listen_fd, EPOLLIN, on_listen);
	return r < 0 ? err_set(err, r, "watch ctl.sock") : 0;
}

static struct ctl_conn *find_free(struct ctl *ctl)
{
	for (size_t i = 0; i < CTL_CONNS_MAX; i++)
		if (ctl->conns[i].fd < 0)
			return &ctl->conns[i];
	return NULL;
}

int ctl_add(struct ctl *ctl, int fd)
{
	struct ctl_conn *conn = find_free(ctl);
	int r = conn ? fd_set_nonblock(fd) : -EMFILE;

	if (r == 0)
		r = loop_add(ctl->loop, &conn->source, fd, EPOLLIN, on_conn);
	if (r < 0) {
		(void)fd_close(fd);
		return r;
	}
	conn->fd = fd;
	conn->id = ++ctl->last_id;
	conn->pending = 1 << MSG_STATE | 1 << MSG_ADDRESSES | 1 << MSG_SESSION_EXIT;
	flush_conn(conn);
	return 0;
}

struct ctl_conn *ctl_find(struct ctl *ctl, uint32_t id)
{
	for (size_t i = 0; i < CTL_CONNS_MAX; i++)
		if (ctl->conns[i].fd >= 0 && ctl->conns[i].id == id)
			return &ctl->conns[i];
	return NULL;
}

void ctl_announce(struct ctl *ctl, enum msg_type type)
{
	for (size_t i = 0; i < CTL_CONNS_MAX; i++)
		if (ctl->conns[i].fd >= 0)
			ctl->event(ctl->data, &ctl->conns[i], type);
}

/* client/http.c - see http.h */
#include "client/http.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

enum {
	READ_SIZE = 64 * 1024,
	HEAD_MAX = 64 * 1024,
	CHUNK_SIZE = 256 * 1024,
	CHUNK_HEAD = 16
};

enum body_kind {
	BODY_NONE, /* nothing (more) to read */
	BODY_LENGTH,
	BODY_CHUNKED,
	BODY_UNTIL_CLOSE,
	BODY_KIND_MAX
};

struct http_conn {
	int fd;
	int interrupt_fd; /* borrowed */
	int passed_fd;
	struct buf in; /* read, not yet consumed */
	enum body_kind body;
	uint64_t body_left; /* BODY_LENGTH: of the body; BODY_CHUNKED: of this chunk */
	bool chunk_open;    /* the CRLF behind this chunk is still to come */
	bool keep_alive;
	bool used; /* a request was answered on it before */
};

static int connect_error(const char *path, int code, struct err *err)
{
	if (code == -ENOENT || code == -ECONNREFUSED)
		return err_kind(err, ERR_UNAVAILABLE, "connect \"%s\": sysctrd is not running (%s)",
				path, strerror(-code));
	if (code == -EACCES || code == -EPERM)
		return err_kind(err, ERR_FORBIDDEN,
				"connect \"%s\": permission denied (be root or in group sysctr)",
				path);
	return err_set(err, code, "connect \"%s\"", path);
}

int http_open(const char *socket_path, int interrupt_fd, struct http_conn **ret_conn,
	      struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct http_conn *conn;
	int fd;

	if (strlen(socket_path) >= sizeof(addr.sun_path))
		return connect_error(socket_path, -ENAMETOOLONG, err);
	memcpy(addr.sun_path, socket_path, strlen(socket_path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, -errno, "create a socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int code = -errno;

		(void)close(fd);
		return connect_error(socket_path, code, err);
	}
	conn = xcalloc(1, sizeof(*conn));
	conn->fd = fd;
	conn->interrupt_fd = interrupt_fd;
	conn->passed_fd = -EBADF;
	*ret_conn = conn;
	return 0;
}

/* Wait for @events on the socket. Returns: 0, -EINTR when the interrupt descriptor is readable. */
static int wait_for(struct http_conn *conn, short events, struct err *err)
{
	struct pollfd fds[] = {
		{ .fd = conn->fd, .events = events },
		{ .fd = conn->interrupt_fd, .events = POLLIN },
	};

	for (;;) {
		int n = poll(fds, conn->interrupt_fd >= 0 ? 2 : 1, -1);

		if (n < 0 && errno != EINTR)
			return err_set(err, -errno, "wait for sysctrd");
		if (n <= 0)
			continue;
		if (fds[0].revents)
			return 0;
		if (fds[1].revents)
			return err_set(err, -EINTR, "wait for sysctrd");
	}
}

static int send_all(struct http_conn *conn, const void *bytes, size_t len, struct err *err)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = send(conn->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			int r = wait_for(conn, POLLOUT, err);

			if (r < 0)
				return r;
			continue;
		}
		if (n < 0)
			return err_set(err, errno == ECONNRESET ? -EPIPE : -errno,
				       "send to sysctrd");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Keep the one descriptor that may come with the bytes, close all others. */
static void take_passed(struct http_conn *conn, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (conn->passed_fd < 0)
				conn->passed_fd = fd;
			else
				(void)close(fd);
		}
	}
}

/* Returns: bytes read into @out, 0 at EOF, -errno. */
static ssize_t receive(struct http_conn *conn, void *out, size_t cap, struct err *err)
{
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = out, .iov_len = cap };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	for (;;) {
		ssize_t n;

		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		n = recvmsg(conn->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n >= 0) {
			take_passed(conn, &msg);
			return n;
		}
		if (errno == EAGAIN || errno == EINTR) {
			int r = wait_for(conn, POLLIN, err);

			if (r < 0)
				return r;
			continue;
		}
		if (errno == ECONNRESET)
			return 0;
		return err_set(err, -errno, "read from sysctrd");
	}
}

/* Read more into conn->in. Returns: bytes, 0 at EOF, -errno. */
static ssize_t fill(struct http_conn *conn, struct err *err)
{
	ssize_t n = receive(conn, buf_reserve(&conn->in, READ_SIZE), READ_SIZE, err);

	if (n > 0)
		conn->in.len += (size_t)n;
	return n;
}

static void head_line(struct buf *head, const char *name, const char *value)
{
	buf_printf(head, "%s: %s\r\n", name, value);
}

static void format_head(const struct http_request *request, struct buf *head)
{
	buf_printf(head, "%s %s HTTP/1.1\r\n", request->method, request->target);
	head_line(head, "Host", "sysctr");
	head_line(head, "User-Agent", "sysctr/" SYSCTR_VERSION);
	for (const char *const *h = request->headers; h && *h; h++)
		buf_printf(head, "%s\r\n", *h);
	if (request->upgrade) {
		head_line(head, "Connection", "Upgrade");
		head_line(head, "Upgrade", request->upgrade);
	}
	if (request->source)
		head_line(head, "Transfer-Encoding", "chunked");
	else if (request->body_len > 0 || streq(request->method, "POST") ||
		 streq(request->method, "PUT"))
		buf_printf(head, "Content-Length: %zu\r\n", request->body_len);
	buf_add_str(head, "\r\n");
}

/* The streamed body in chunks, each framed in place. */
static int send_chunked(struct http_conn *conn, const struct http_request *request, struct err *err)
{
	_cleanup_(freep) char *space = xmalloc(CHUNK_HEAD + CHUNK_SIZE + 2);

	for (;;) {
		ssize_t n =
			request->source(request->source_data, space + CHUNK_HEAD, CHUNK_SIZE, err);
		char head[CHUNK_HEAD + 1];
		int head_len, r;

		if (n < 0)
			return (int)n;
		if (n == 0)
			return send_all(conn, "0\r\n\r\n", 5, err);
		head_len = snprintf(head, sizeof(head), "%zx\r\n", (size_t)n);
		memcpy(space + CHUNK_HEAD - head_len, head, (size_t)head_len);
		memcpy(space + CHUNK_HEAD + n, "\r\n", 2);
		r = send_all(conn, space + CHUNK_HEAD - head_len, (size_t)(head_len + n + 2), err);
		if (r < 0)
			return r;
	}
}

static int send_request(struct http_conn *conn, const struct http_request *request, struct err *err)
{
	struct buf head = { 0 };
	int r;

	format_head(request, &head);
	if (!request->source && request->body_len > 0)
		buf_add(&head, request->body, request->body_len);
	r = send_all(conn, head.data, head.len, err);
	buf_done(&head);
	if (r == 0 && request->source)
		r = send_chunked(conn, request, err);
	return r;
}

/* Read until the empty line. Returns: the head's length with it, -errno. */
static ssize_t read_head(struct http_conn *conn, struct err *err)
{
	for (;;) {
		char *end =
			conn->in.len ? memmem(conn->in.data, conn->in.len, "\r\n\r\n", 4) : NULL;
		ssize_t n;

		if (end)
			return end - conn->in.data + 4;
		if (conn->in.len > HEAD_MAX)
			return err_set(err, -EPROTO, "read the answer's head");
		n = fill(conn, err);
		if (n < 0)
			return n;
		if (n == 0 && conn->in.len == 0 && conn->used)
			return err_set(err, -EPIPE, "read from sysctrd");
		if (n == 0)
			return err_kind(err, ERR_UNAVAILABLE,
					"sysctrd closed the connection without an answer");
	}
}

/* One "Name: value" line, both cut out in place. */
static void parse_header(struct http_reply *reply, char *line)
{
	char *value = strchr(line, ':');

	if (!value)
		return;
	*value++ = '\0';
	for (char *p = line; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	value += strspn(value, " \t");
	strmap_set(&reply->headers, line, value);
}

/* "HTTP/1.1 200 OK" and the lines below it. @text is modified. */
static int parse_head(char *text, struct http_reply *reply, struct err *err)
{
	char *save = NULL, *line = strtok_r(text, "\r\n", &save);
	uint64_t status;

	if (!line || !str_after(line, "HTTP/1.") || strlen(line) < 12)
		return err_set(err, -EPROTO, "read the answer's head");
	if (line[12])
		line[12] = '\0';
	if (parse_u64(line + 9, 599, &status) < 0)
		return err_set(err, -EPROTO, "read the answer's status");
	reply->status = (int)status;
	while ((line = strtok_r(NULL, "\r\n", &save)))
		parse_header(reply, line);
	return 0;
}

/* Decide from the head how the body ends. */
static int start_body(struct http_conn *conn, const struct http_request *request,
		      const struct http_reply *reply, struct err *err)
{
	const char *coding = strmap_get(&reply->headers, "transfer-encoding");
	const char *length = strmap_get(&reply->headers, "content-length");
	const char *connection = strmap_get(&reply->headers, "connection");

	conn->chunk_open = false;
	conn->body_left = 0;
	conn->keep_alive = !connection || strcasecmp(connection, "close") != 0;
	if (streq(request->method, "HEAD") || reply->status == 204 || reply->status == 304 ||
	    reply->status == 101) {
		conn->body = BODY_NONE;
	} else if (coding && strcasecmp(coding, "chunked") == 0) {
		conn->body = BODY_CHUNKED;
	} else if (length) {
		if (parse_u64(length, INT64_MAX, &conn->body_left) < 0)
			return err_set(err, -EPROTO, "read the answer's length");
		conn->body = conn->body_left > 0 ? BODY_LENGTH : BODY_NONE;
	} else {
		conn->body = BODY_UNTIL_CLOSE;
		conn->keep_alive = false;
	}
	return 0;
}

/* One head off the wire; 1xx answers other than 101 are skipped. */
static int read_reply(struct http_conn *conn, struct http_reply *reply, struct err *err)
{
	do {
		_cleanup_(freep) char *text = NULL;
		ssize_t len = read_head(conn, err);
		int r;

		if (len < 0)
			return (int)len;
		text = xstrndup(conn->in.data, (size_t)len);
		buf_consume(&conn->in, (size_t)len);
		http_reply_done(reply);
		r = parse_head(text, reply, err);
		if (r < 0)
			return r;
	} while (reply->status < 200 && reply->status != 101);
	return 0;
}

int http_exchange(struct http_conn *conn, const struct http_request *request,
		  struct http_reply *reply, struct err *err)
{
	struct err send_err = { 0 };
	int r, sent = send_request(conn, request, &send_err);

	/* a daemon that refuses an upload answers and closes: its answer says why */
	if (sent < 0 && (sent != -EPIPE || (conn->used && !request->source))) {
		if (err)
			*err = send_err;
		return sent;
	}
	r = read_reply(conn, reply, err);
	if (r < 0)
		return r;
	conn->used = true;
	r = start_body(conn, request, reply, err);
	if (sent < 0)
		conn->keep_alive = false;
	return r;
}

/* The size line of the next chunk. Returns: 0 with body_left set (0: that was the last). */
static int next_chunk(struct http_conn *conn, struct err *err)
{
	for (;;) {
		size_t skip = conn->chunk_open ? 2 : 0;
		char *from = conn->in.data + skip, *end = NULL, *stop;
		ssize_t n;

		if (conn->in.len > skip)
			end = memmem(from, conn->in.len - skip, "\r\n", 2);
		if (end) {
			conn->body_left = strtoull(from, &stop, 16);
			if (stop == from)
				return err_set(err, -EPROTO, "read a chunk's size");
			buf_consume(&conn->in, (size_t)(end + 2 - conn->in.data));
			conn->chunk_open = conn->body_left > 0;
			return 0;
		}
		n = conn->in.len > HEAD_MAX ? -EPROTO : fill(conn, err);
		if (n <= 0)
			return err_set(err, n < 0 ? (int)n : -EPIPE, "read a chunk of the answer");
	}
}

/* The last chunk was read: skip trailers up to the empty line. */
static int end_chunked(struct http_conn *conn, struct err *err)
{
	while (conn->in.len < 2 || memcmp(conn->in.data, "\r\n", 2) != 0) {
		char *end = conn->in.len ? memmem(conn->in.data, conn->in.len, "\r\n", 2) : NULL;
		ssize_t n;

		if (end) {
			buf_consume(&conn->in, (size_t)(end + 2 - conn->in.data));
			continue;
		}
		n = fill(conn, err);
		if (n <= 0)
			return err_set(err, n < 0 ? (int)n : -EPIPE, "read the answer's end");
	}
	buf_consume(&conn->in, 2);
	conn->body = BODY_NONE;
	return 0;
}

/* Up to @cap bytes, first those already read, then straight off the socket. */
static ssize_t take_bytes(struct http_conn *conn, void *out, size_t cap, struct err *err)
{
	size_t n = MIN(cap, conn->in.len);

	if (n == 0)
		return receive(conn, out, cap, err);
	memcpy(out, conn->in.data, n);
	buf_consume(&conn->in, n);
	return (ssize_t)n;
}

ssize_t http_read(struct http_conn *conn, void *out, size_t cap, struct err *err)
{
	ssize_t n;

	if (conn->body == BODY_CHUNKED && conn->body_left == 0) {
		int r = next_chunk(conn, err);

		if (r == 0 && conn->body_left == 0)
			r = end_chunked(conn, err);
		if (r < 0)
			return r;
	}
	if (conn->body == BODY_NONE)
		return 0;
	if (conn->body != BODY_UNTIL_CLOSE)
		cap = MIN(cap, conn->body_left);
	n = take_bytes(conn, out, cap, err);
	if (n < 0)
		return n;
	if (conn->body == BODY_UNTIL_CLOSE) {
		if (n == 0)
			conn->body = BODY_NONE;
		return n;
	}
	if (n == 0)
		return err_kind(err, ERR_UNAVAILABLE, "sysctrd closed the connection mid-answer");
	conn->body_left -= (uint64_t)n;
	if (conn->body == BODY_LENGTH && conn->body_left == 0)
		conn->body = BODY_NONE;
	return n;
}

int http_read_all(struct http_conn *conn, struct buf *body, size_t max, struct err *err)
{
	for (;;) {
		ssize_t n = http_read(conn, buf_reserve(body, READ_SIZE), READ_SIZE, err);

		if (n <= 0)
			return (int)n;
		body->len += (size_t)n;
		body->data[body->len] = '\0';
		if (body->len > max)
			return err_set(err, -EFBIG, "read the answer");
	}
}

bool http_reusable(const struct http_conn *conn)
{
	return conn->keep_alive && conn->body == BODY_NONE;
}

int http_take_fd(struct http_conn *conn, struct buf *rest, int *ret_passed_fd)
{
	int fd = TAKE_FD(conn->fd);

	buf_add(rest, conn->in.data, conn->in.len);
	*ret_passed_fd = TAKE_FD(conn->passed_fd);
	http_close(conn);
	return fd;
}

void http_close(struct http_conn *conn)
{
	if (!conn)
		return;
	if (conn->fd >= 0)
		(void)close(conn->fd);
	if (conn->passed_fd >= 0)
		(void)close(conn->passed_fd);
	buf_done(&conn->in);
	free(conn);
}

void http_closep(struct http_conn **conn)
{
	http_close(*conn);
	*conn = NULL;
}

void http_reply_done(struct http_reply *reply)
{
	strmap_done(&reply->headers);
	reply->status = 0;
}

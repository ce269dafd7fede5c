/*
 * aio/http_req.c - one HTTP request: its body in, its answer out (aio, sysctrd)
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aio/http_conn.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/time.h"
#include "os/fd.h"
#include "os/sock.h"

enum {
	SOURCE_BLOCK_BYTES = 64 * 1024,
	SOURCE_RETRY_MS = 10
};

static void free_if_unused(struct http_req *req)
{
	if (req->conn || req->held || req->ending)
		return;
	if (req->server)
		list_remove(&req->node);
	if (req->response)
		MHD_destroy_response(req->response);
	if (req->end_fn)
		req->end_fn(req->end_data);
	buf_done(&req->body);
	strmap_done(&req->headers);
	free(req->method);
	free(req->path);
	free(req);
}

struct http_req *http_req_new(struct http_server *server, struct MHD_Connection *conn,
			      const char *uri)
{
	struct http_req *req = xcalloc(1, sizeof(*req));
	struct sock_peer peer = { .uid = (uid_t)-1, .gid = (gid_t)-1 };
	char *query;

	req->server = server;
	req->loop = server->loop;
	req->conn = conn;
	req->conn_fd = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	req->sink_fd = req->source_fd = -EBADF;
	req->path = xstrdup(uri);
	query = strchr(req->path, '?');
	if (query)
		*query++ = '\0';
	req->query = query ? query : req->path + strlen(req->path);
	(void)sock_get_peer(req->conn_fd, &peer);
	req->peer = (struct http_peer){ peer.uid, peer.gid, peer.pid };
	list_append(&server->reqs, &req->node);
	return req;
}

/* ---- what the handler asks ---- */

const char *http_req_method(const struct http_req *req)
{
	return req->method;
}

const char *http_req_path(const struct http_req *req)
{
	return req->path;
}

const char *http_req_query(const struct http_req *req)
{
	return req->query;
}

const char *http_req_header(const struct http_req *req, const char *name)
{
	if (!req->conn)
		return NULL;
	return MHD_lookup_connection_value(req->conn, MHD_HEADER_KIND, name);
}

const struct http_peer *http_req_peer(const struct http_req *req)
{
	return &req->peer;
}

struct aio_loop *http_req_loop(const struct http_req *req)
{
	return req->loop;
}

uint64_t http_req_body_size(const struct http_req *req)
{
	const char *length = http_req_header(req, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t size;

	if (http_req_header(req, MHD_HTTP_HEADER_TRANSFER_ENCODING))
		return UINT64_MAX;
	return length && parse_u64(length, UINT64_MAX, &size) == 0 ? size : 0;
}

void http_req_on_end(struct http_req *req, aio_fn fn, void *data)
{
	req->end_fn = fn;
	req->end_data = data;
}

void http_req_on_gone(struct http_req *req, aio_fn fn, void *data)
{
	req->gone_fn = fn;
	req->gone_data = data;
}

/* ---- suspension ---- */

static void on_hangup(void *data, unsigned int ready)
{
	struct http_req *req = data;
	struct pollfd now = { .fd = req->conn_fd };

	(void)ready;
	/* A client that only closed its sending side still reads. */
	if (poll(&now, 1, 0) > 0 && (now.revents & (POLLHUP | POLLERR)))
		http_req_abort(req);
	else
		aio_poll_set(req->hangup, 0);
}

void http_req_suspend(struct http_req *req)
{
	if (req->suspended)
		return;
	req->suspended = true;
	MHD_suspend_connection(req->conn);
	req->hangup = aio_poll_new(req->loop, req->conn_fd, on_hangup, req);
	aio_poll_set(req->hangup, AIO_HANGUP);
}

void http_req_resume(struct http_req *req)
{
	if (!req->suspended)
		return;
	req->suspended = false;
	req->hangup = aio_poll_free(req->hangup);
	MHD_resume_connection(req->conn);
	http_server_kick(req->server);
}

static void tell_gone(struct http_req *req)
{
	aio_fn fn = req->gone_fn;

	req->gone_fn = NULL;
	if (fn && req->held)
		fn(req->gone_data);
}

void http_req_on_over(struct http_req *req, aio_fn fn, void *data)
{
	req->over_fn = fn;
	req->over_data = data;
}

static void tell_over(struct http_req *req)
{
	aio_fn fn = req->over_fn;

	req->over_fn = NULL;
	if (fn)
		fn(req->over_data);
}

void http_req_abort(struct http_req *req)
{
	req->gone = true;
	/* Whatever libmicrohttpd is in the middle of ends with the socket. */
	(void)shutdown(req->conn_fd, SHUT_RDWR);
	req->source_poll = aio_poll_free(req->source_poll);
	http_req_resume(req);
}

/* ---- the body ---- */

static void close_sink(struct http_req *req)
{
	req->sink_poll = aio_poll_free(req->sink_poll);
	req->sink_fd = fd_close(req->sink_fd);
}

static void end_sink(struct http_req *req, int code)
{
	http_sink_fn fn = req->sink_fn;

	close_sink(req);
	req->sink_fn = NULL;
	if (fn)
		fn(req->sink_data, req, code);
}

void http_req_begin(struct http_req *req, const char *method)
{
	struct http_server *server = req->server;

	req->method = xstrdup(method);
	req->state = REQ_CHOOSING;
	req->held = true;
	server->on_request(server->data, req);
	if (req->state == REQ_CHOOSING) {
		assert(!req->held); /* R2 */
		req->state = REQ_DROP;
	}
}

void http_req_collect(struct http_req *req, size_t max_bytes, http_body_fn fn, void *data)
{
	assert(req->state == REQ_CHOOSING);
	req->state = REQ_COLLECT;
	req->max_bytes = max_bytes;
	req->body_fn = fn;
	req->body_data = data;
}

static void on_sink_ready(void *data, unsigned int ready)
{
	struct http_req *req = data;

	(void)ready;
	aio_poll_set(req->sink_poll, 0);
	http_req_resume(req);
}

void http_req_stream(struct http_req *req, int fd, http_sink_fn fn, void *data)
{
	assert(req->state == REQ_CHOOSING);
	req->state = REQ_STREAM;
	req->sink_fd = fd;
	req->sink_fn = fn;
	req->sink_data = data;
	req->sink_poll = aio_poll_new(req->loop, fd, on_sink_ready, req);
}

static size_t feed_collect(struct http_req *req, const char *bytes, size_t len)
{
	http_body_fn fn = req->body_fn;

	if (len <= req->max_bytes - req->body.len) {
		buf_add(&req->body, bytes, len);
		return len;
	}
	buf_done(&req->body);
	req->state = REQ_DROP;
	req->body_fn = NULL;
	fn(req->body_data, req, NULL);
	return len;
}

/*
 * Either everything is taken or the connection is suspended: bytes that libmicrohttpd keeps are
 * offered again only when more arrive, which after the last ones is never.
 */
static size_t feed_sink(struct http_req *req, const char *bytes, size_t len)
{
	size_t taken = 0;

	while (taken < len) {
		ssize_t n = write(req->sink_fd, bytes + taken, len - taken);

		if (n >= 0) {
			taken += (size_t)n;
		} else if (errno == EAGAIN && req->sink_poll) {
			http_req_suspend(req);
			aio_poll_set(req->sink_poll, AIO_WRITE);
			break;
		} else if (errno != EINTR) {
			req->state = REQ_DROP;
			end_sink(req, -errno);
			return len;
		}
	}
	return taken;
}

size_t http_req_feed(struct http_req *req, const char *bytes, size_t len)
{
	if (req->state == REQ_COLLECT)
		return feed_collect(req, bytes, len);
	if (req->state == REQ_STREAM)
		return feed_sink(req, bytes, len);
	return len;
}

void http_req_body_end(struct http_req *req)
{
	req->body_done = true;
	if (req->state == REQ_COLLECT)
		req->body_fn(req->body_data, req, &req->body);
	else if (req->state == REQ_STREAM)
		end_sink(req, 0);
}

void http_req_over(struct http_req *req)
{
	http_upgrade_fn upgrade_fn = req->refused ? NULL : req->upgrade_fn;

	req->hangup = aio_poll_free(req->hangup);
	req->source_poll = aio_poll_free(req->source_poll);
	req->source_fd = fd_close(req->source_fd);
	if (!req->refused)
		aio_timer_stop(&req->source_retry);
	req->suspended = false;
	req->conn = NULL;
	req->ending = true;
	tell_gone(req);
	end_sink(req, -ECONNABORTED);
	if (upgrade_fn)
		upgrade_fn(req->upgrade_data, NULL);
	if (!req->held)
		tell_over(req);
	req->ending = false;
	free_if_unused(req);
}

/* ---- the answer ---- */

void http_req_add_header(struct http_req *req, const char *name, const char *value)
{
	strmap_set(&req->headers, name, value);
}

void http_req_respond(struct http_req *req, unsigned int status, struct MHD_Response *response)
{
	assert(req->held && !req->response); /* R1 */
	req->held = false;
	req->status = status;
	req->response = response;
	strmap_for_each(header, &req->headers)(void)
		MHD_add_response_header(response, header->key, header->value);
	if (!req->conn) {
		tell_over(req);
		free_if_unused(req);
	} else {
		http_req_resume(req);
	}
}

void http_req_answer(struct http_req *req, unsigned int status, struct buf *body)
{
	struct MHD_Response *response;

	if (body && body->len > 0) {
		response = MHD_create_response_from_buffer_with_free_callback(body->len, body->data,
									      free);
		*body = (struct buf){ 0 };
	} else {
		response = MHD_create_response_from_buffer(0, (void *)(uintptr_t) "",
							   MHD_RESPMEM_PERSISTENT);
	}
	http_req_respond(req, status, response);
}

void http_req_answer_text(struct http_req *req, unsigned int status, const char *text)
{
	struct buf body = { 0 };

	buf_add_str(&body, text);
	http_req_add_header(req, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
	http_req_answer(req, status, &body);
}

void http_req_answer_file(struct http_req *req, unsigned int status, int fd, uint64_t offset,
			  uint64_t len)
{
	http_req_respond(req, status, MHD_create_response_from_fd_at_offset64(len, fd, offset));
}

static void on_source_ready(void *data, unsigned int ready)
{
	struct http_req *req = data;

	(void)ready;
	aio_poll_set(req->source_poll, 0);
	http_req_resume(req);
}

static void on_source_retry(void *data)
{
	http_req_resume(data);
}

static ssize_t source_end(struct http_req *req)
{
	enum http_verdict verdict = req->verdict ? req->verdict(req->verdict_data) : HTTP_WHOLE;

	if (verdict == HTTP_WHOLE)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (verdict == HTTP_BROKEN)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	http_req_suspend(req);
	aio_timer_start(req->loop, &req->source_retry, SOURCE_RETRY_MS * NS_PER_MS, on_source_retry,
			req);
	return 0;
}

static ssize_t read_source(void *data, uint64_t position, char *bytes, size_t size)
{
	struct http_req *req = data;
	ssize_t n;

	(void)position;
	if (req->gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	do
		n = read(req->source_fd, bytes, size);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	if (n == 0)
		return source_end(req);
	if (errno != EAGAIN || !req->source_poll)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	http_req_suspend(req);
	aio_poll_set(req->source_poll, AIO_READ);
	return 0;
}

static void answer_pipe(struct http_req *req, unsigned int status, int fd, uint64_t len,
			http_verdict_fn verdict, void *data)
{
	req->source_fd = fd;
	req->verdict = verdict;
	req->verdict_data = data;
	if (req->conn)
		req->source_poll = aio_poll_new(req->loop, fd, on_source_ready, req);
	else
		req->source_fd = fd_close(fd);
	http_req_respond(req, status,
			 MHD_create_response_from_callback(len, SOURCE_BLOCK_BYTES, read_source,
							   req, NULL));
}

void http_req_answer_pipe(struct http_req *req, unsigned int status, int fd,
			  http_verdict_fn verdict, void *data)
{
	answer_pipe(req, status, fd, MHD_SIZE_UNKNOWN, verdict, data);
}

void http_req_answer_pipe_sized(struct http_req *req, unsigned int status, int fd, uint64_t len,
				http_verdict_fn verdict, void *data)
{
	answer_pipe(req, status, fd, len, verdict, data);
}

static void on_upgrade(void *data, struct MHD_Connection *conn, void *context, const char *early,
		       size_t early_len, MHD_socket socket_fd,
		       struct MHD_UpgradeResponseHandle *handle)
{
	struct http_req *req = context;

	(void)data;
	(void)conn;
	(void)socket_fd;
	http_stream_hand_over(req, early, early_len);
	(void)MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
	http_server_kick(req->server);
}

static void on_refused(void *data)
{
	struct http_req *req = data;

	req->upgrade_fn(req->upgrade_data, NULL);
	http_req_answer_text(req, MHD_HTTP_SERVICE_UNAVAILABLE, "too many streams\n");
}

void http_req_upgrade(struct http_req *req, const char *protocol, http_upgrade_fn fn, void *data)
{
	req->upgrade_fn = fn;
	req->upgrade_data = data;
	if (!req->conn || req->server->n_streams >= HTTP_STREAMS_MAX) {
		req->refused = true;
		aio_timer_start(req->loop, &req->source_retry, 0, on_refused, req);
		return;
	}
	http_req_add_header(req, MHD_HTTP_HEADER_UPGRADE, protocol);
	http_req_respond(req, MHD_HTTP_SWITCHING_PROTOCOLS,
			 MHD_create_response_for_upgrade(on_upgrade, NULL));
}

/*
 * aio/http.c - libmicrohttpd in external epoll mode on our loop (aio, sysctrd; never blocks)
 *
 * Its descriptors are edge-triggered inside: one MHD_run() may leave work that no event announces,
 * so it is run again while it asks for no wait, in slices, so that others have their turn.
 */
#include "aio/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aio/http_conn.h"
#include "base/mem.h"
#include "base/time.h"
#include "os/fd.h"

enum {
	RUNS_PER_SLICE = 16,
	SWEEP_SECONDS = 5
};

enum conn_state {
	CONN_IDLE,
	CONN_HEADERS, /* the request line is there */
	CONN_BODY,    /* a body is being collected */
	CONN_BUSY,
	CONN_STATE_MAX
};

/* A connection, for the deadlines. */
struct http_conn {
	struct list node;
	int fd;
	enum conn_state state;
	uint64_t since_ns;
};

static const uint64_t state_seconds[CONN_STATE_MAX] = {
	[CONN_IDLE] = HTTP_IDLE_SECONDS,
	[CONN_HEADERS] = HTTP_HEADER_SECONDS,
	[CONN_BODY] = HTTP_BODY_SECONDS,
	[CONN_BUSY] = UINT64_MAX / NS_PER_S,
};

static struct http_conn *conn_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info->socket_context;
}

static void conn_move(struct http_server *server, struct http_conn *conn, enum conn_state state)
{
	if (conn->state == state)
		return;
	conn->state = state;
	conn->since_ns = aio_now(server->loop);
}

static void on_sweep(void *data)
{
	struct http_server *server = data;
	uint64_t now_ns = aio_now(server->loop);
	struct list *node;

	list_for_each(node, &server->conns) {
		struct http_conn *conn = list_entry(node, struct http_conn, node);

		/* libmicrohttpd sees the end of the stream and drops it. */
		if ((now_ns - conn->since_ns) / NS_PER_S > state_seconds[conn->state])
			(void)shutdown(conn->fd, SHUT_RDWR);
	}
	if (!list_empty(&server->conns))
		aio_timer_start(server->loop, &server->sweep, SWEEP_SECONDS * (uint64_t)NS_PER_S,
				on_sweep, server);
}

static void on_connection(void *data, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = data;
	struct http_conn *conn = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		conn = xcalloc(1, sizeof(*conn));
		conn->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				   ->connect_fd;
		conn->since_ns = aio_now(server->loop);
		list_append(&server->conns, &conn->node);
		*context = conn;
		if (!aio_timer_armed(&server->sweep))
			aio_timer_start(server->loop, &server->sweep,
					SWEEP_SECONDS * (uint64_t)NS_PER_S, on_sweep, server);
	} else if (conn) {
		list_remove(&conn->node);
		free(conn);
		*context = NULL;
	}
}

/* The request line is there. Returns: what libmicrohttpd calls the request's context. */
static void *on_uri(void *data, const char *uri, struct MHD_Connection *connection)
{
	struct http_server *server = data;

	conn_move(server, conn_of(connection), CONN_HEADERS);
	return http_req_new(server, connection, uri);
}

static enum MHD_Result respond(struct http_req *req)
{
	enum MHD_Result queued = MHD_queue_response(req->conn, req->status, req->response);

	MHD_destroy_response(req->response);
	req->response = NULL;
	return queued;
}

static enum MHD_Result on_access(void *data, struct MHD_Connection *connection, const char *url,
				 const char *method, const char *version, const char *upload,
				 size_t *upload_len, void **context)
{
	struct http_server *server = data;
	struct http_req *req = *context;

	(void)url;
	(void)version;
	if (req->gone || server->closing)
		return MHD_NO;
	if (req->state == REQ_FRESH) {
		http_req_begin(req, method);
		conn_move(server, conn_of(connection),
			  req->state == REQ_COLLECT ? CONN_BODY : CONN_BUSY);
		/* A client that waits for "100 Continue" keeps its body when it is refused. */
		if (req->response && MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
								 MHD_HTTP_HEADER_EXPECT))
			return respond(req);
		return MHD_YES;
	}
	if (*upload_len > 0) {
		*upload_len -= http_req_feed(req, upload, *upload_len);
		return MHD_YES;
	}
	if (!req->body_done) {
		conn_move(server, conn_of(connection), CONN_BUSY);
		http_req_body_end(req);
	}
	if (req->response)
		return respond(req);
	http_req_suspend(req);
	return MHD_YES;
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct http_server *server = data;
	struct http_req *req = *context;
	struct http_conn *conn = conn_of(connection);

	(void)code;
	if (conn)
		conn_move(server, conn, CONN_IDLE);
	if (req)
		http_req_over(req);
	*context = NULL;
}

/* Segments are decoded by the routes, after they were split. */
static size_t keep_escapes(void *data, struct MHD_Connection *connection, char *text)
{
	(void)data;
	(void)connection;
	return strlen(text);
}

static void run(void *data)
{
	struct http_server *server = data;
	MHD_UNSIGNED_LONG_LONG timeout_ms = 0;

	aio_timer_stop(&server->timeout);
	for (int i = 0; i < RUNS_PER_SLICE; i++) {
		server->kicked = false;
		(void)MHD_run(server->mhd);
		enum MHD_Result waits = MHD_get_timeout(server->mhd, &timeout_ms);

		if (server->kicked)
			timeout_ms = 0;
		else if (waits != MHD_YES)
			return;
		else if (timeout_ms > 0)
			break;
	}
	aio_timer_start(server->loop, &server->timeout, timeout_ms * NS_PER_MS, run, server);
}

static void on_ready(void *data, unsigned int ready)
{
	(void)ready;
	run(data);
}

void http_server_kick(struct http_server *server)
{
	server->kicked = true;
	if (!server->closing)
		aio_timer_start(server->loop, &server->timeout, 0, run, server);
}

static struct MHD_Daemon *start_mhd(struct http_server *server)
{
	/* TURBO: no shutdown(2) before close, which would cut streams that were handed on. */
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME |
					MHD_ALLOW_UPGRADE,
				0, NULL, NULL, on_access, server, MHD_OPTION_LISTEN_SOCKET,
				server->listen_fd, MHD_OPTION_CONNECTION_LIMIT,
				(unsigned int)HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
				(unsigned int)HTTP_STALL_SECONDS,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADER_BYTES_MAX,
				MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
				MHD_OPTION_URI_LOG_CALLBACK, on_uri, server,
				MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, server, MHD_OPTION_END);
}

static void release(struct http_server *server)
{
	aio_timer_stop(&server->timeout);
	aio_timer_stop(&server->sweep);
	server->poll = aio_poll_free(server->poll);
	server->listen_fd = fd_close(server->listen_fd);
	server->dir_fd = fd_close(server->dir_fd);
	free(server->name);
	free(server);
}

int http_server_new(struct aio_loop *loop, const struct http_config *config,
		    struct http_server **ret_server, struct err *err)
{
	struct http_server *server = xcalloc(1, sizeof(*server));
	const union MHD_DaemonInfo *info;
	int rc;

	server->loop = loop;
	server->listen_fd = server->dir_fd = -EBADF;
	server->on_request = config->on_request;
	server->data = config->data;
	list_init(&server->conns);
	list_init(&server->reqs);
	list_init(&server->streams);
	rc = http_socket_listen(server, config->path, config->group, err);
	if (rc < 0) {
		release(server);
		return rc;
	}
	server->mhd = start_mhd(server);
	if (!server->mhd) {
		http_socket_remove(server);
		release(server);
		return err_set(err, -EIO, "start the HTTP server on %s", config->path);
	}
	info = MHD_get_daemon_info(server->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	server->poll = aio_poll_new(loop, info->epoll_fd, on_ready, server);
	aio_poll_set(server->poll, AIO_READ);
	*ret_server = server;
	return 0;
}

void http_server_quiesce(struct http_server *server)
{
	if (server->listen_fd < 0)
		return;
	http_socket_remove(server);
	(void)MHD_quiesce_daemon(server->mhd);
	server->listen_fd = fd_close(server->listen_fd);
}

struct http_server *http_server_free(struct http_server *server)
{
	struct list *node, *next;

	if (!server)
		return NULL;
	http_server_quiesce(server);
	/* libmicrohttpd cannot stop while a connection is suspended. */
	server->closing = true;
	list_for_each_safe(node, next, &server->reqs)
		http_req_abort(list_entry(node, struct http_req, node));
	(void)MHD_run(server->mhd);
	server->poll = aio_poll_free(server->poll);
	MHD_stop_daemon(server->mhd);
	/* Requests whose handlers have not answered yet, and streams, live on without a server. */
	list_for_each_safe(node, next, &server->reqs) {
		list_entry(node, struct http_req, node)->server = NULL;
		list_remove(node);
	}
	list_for_each_safe(node, next, &server->streams) {
		list_entry(node, struct http_stream, node)->server = NULL;
		list_remove(node);
	}
	release(server);
	return NULL;
}

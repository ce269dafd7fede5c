/*
 * aio/http_conn.h - what http.c (server, libmicrohttpd) and http_req.c (requests) share
 *
 *   C1  A request is freed when libmicrohttpd is done with it (conn is NULL) and its handler has
 *       answered (held is false), whichever comes last.
 *   C2  A suspended connection is watched for a hangup, since libmicrohttpd does not look at it.
 */
#pragma once

#include <microhttpd.h>

#include "aio/http.h"
#include "aio/poll.h"
#include "aio/timer.h"
#include "base/list.h"
#include "base/strmap.h"

enum req_state {
	REQ_FRESH,    /* on_request was not called yet */
	REQ_CHOOSING, /* inside on_request */
	REQ_COLLECT,
	REQ_STREAM,
	REQ_DROP, /* the rest of the body is of no interest */
	REQ_STATE_MAX
};

struct http_server {
	struct aio_loop *loop;
	struct MHD_Daemon *mhd;
	struct aio_poll *poll;
	struct aio_timer timeout; /* libmicrohttpd's */
	struct aio_timer sweep;	  /* looks for connections that are too slow */
	http_request_fn on_request;
	void *data;
	struct list conns;
	struct list reqs;
	struct list streams;
	size_t n_streams;
	bool kicked; /* somebody resumed a connection while libmicrohttpd ran */
	bool closing;
	int listen_fd;
	int dir_fd; /* of the socket file */
	char *name;
	dev_t socket_dev;
	ino_t socket_ino;
};

/* A connection that went on without HTTP. */
struct http_stream {
	struct list node;
	struct http_server *server; /* NULL: gone before */
	struct aio_loop *loop;
	int fd;
	struct buf early;
};

struct http_req {
	struct list node;
	struct http_server *server; /* NULL: gone before */
	struct aio_loop *loop;
	struct MHD_Connection *conn; /* NULL: over */
	int conn_fd;
	char *method, *path, *query;
	struct http_peer peer;
	enum req_state state;
	bool body_done;
	bool held;
	bool suspended;
	bool gone;
	bool ending;  /* inside http_req_over(): its callbacks may answer, not free */
	bool refused; /* the upgrade; source_retry will say so */
	struct aio_poll *hangup;
	aio_fn end_fn;
	void *end_data;
	aio_fn gone_fn;
	void *gone_data;
	aio_fn over_fn;
	void *over_data;

	size_t max_bytes;
	struct buf body;
	http_body_fn body_fn;
	void *body_data;

	int sink_fd;
	struct aio_poll *sink_poll;
	http_sink_fn sink_fn;
	void *sink_data;

	struct strmap headers; /* to be added to the response */
	unsigned int status;
	struct MHD_Response *response;

	int source_fd;
	struct aio_poll *source_poll;
	struct aio_timer source_retry;
	http_verdict_fn verdict;
	void *verdict_data;

	http_upgrade_fn upgrade_fn;
	void *upgrade_data;
};

/* What every answer of http_req.c ends in; @response is taken. */
void http_req_respond(struct http_req *req, unsigned int status, struct MHD_Response *response);

/* Let libmicrohttpd work soon: a connection was resumed. */
void http_server_kick(struct http_server *server);

struct http_req *http_req_new(struct http_server *server, struct MHD_Connection *conn,
			      const char *uri);

/* The headers are there. */
void http_req_begin(struct http_req *req, const char *method);

/* Part of the body. Returns: how much of it was taken; the rest when resumed. */
size_t http_req_feed(struct http_req *req, const char *bytes, size_t len);
void http_req_body_end(struct http_req *req);

void http_req_suspend(struct http_req *req);
void http_req_resume(struct http_req *req);

/* The client is gone: tell whom it concerns, let the connection end. */
void http_req_abort(struct http_req *req);

/* libmicrohttpd is done with it. */
void http_req_over(struct http_req *req);

/* Listen at @path through a temporary name, so that it is never open to more than its group. */
int http_socket_listen(struct http_server *server, const char *path, const char *group,
		       struct err *err);

/* Remove the socket file, unless it is another's by now. */
void http_socket_remove(struct http_server *server);

/* Give the request's socket to whoever upgraded it; @req->upgrade_fn is called. */
void http_stream_hand_over(struct http_req *req, const char *early, size_t early_len);

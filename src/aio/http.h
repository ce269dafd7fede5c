/*
 * aio/http.h - HTTP/1.1 server on a unix socket: libmicrohttpd on our loop (aio, sysctrd)
 *
 *   R1  Every request that on_request saw is answered exactly once, by one http_req_answer...() or
 *       http_req_upgrade(); that call gives the request away, now or at any later time. Answering
 *       a client that is gone is harmless.
 *   R2  In on_request the handler either answers or picks how the body is read, exactly one of
 *       http_req_collect() and http_req_stream(). A body that came with a request answered at once
 *       is read and dropped.
 *   R3  All that a client can grow has a limit (struct http_limits).
 *   R4  No callback of a request runs from inside a call on it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "aio/loop.h"
#include "base/buf.h"
#include "base/err.h"

enum {
	HTTP_HEADER_BYTES_MAX = 64 * 1024,
	HTTP_BODY_BYTES_MAX = 1024 * 1024, /* collected bodies, unless the handler says otherwise */
	HTTP_CONNECTIONS_MAX = 1000,
	HTTP_STREAMS_MAX = 1000, /* upgraded connections */
	HTTP_HEADER_SECONDS = 30,
	HTTP_IDLE_SECONDS = 300,
	HTTP_BODY_SECONDS = 120, /* for a whole collected body */
	HTTP_STALL_SECONDS = 120 /* no byte moved in either direction */
};

struct http_server;
struct http_req;
struct http_stream;

typedef void (*http_request_fn)(void *data, struct http_req *req);

struct http_config {
	const char *path;  /* of the socket; a stale one is replaced, a live one is -EADDRINUSE */
	const char *group; /* NULL: root's; the socket is 0660 from its first moment on */
	http_request_fn on_request; /* the headers are there */
	void *data;
};

int http_server_new(struct aio_loop *loop, const struct http_config *config,
		    struct http_server **ret_server, struct err *err);

/* Stop accepting; live requests go on. The socket file is removed if it is still ours. */
void http_server_quiesce(struct http_server *server);

/* Drop all connections: requests not yet answered become gone (their on_gone runs). */
struct http_server *http_server_free(struct http_server *server);

/* ---- the request ---- */

struct http_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
};

const char *http_req_method(const struct http_req *req); /* "GET", upper case as sent */
const char *http_req_path(const struct http_req *req);	 /* raw, not decoded, without the query */
const char *http_req_query(const struct http_req *req);	 /* raw, "" when absent */
const char *http_req_header(const struct http_req *req, const char *name); /* NULL: none */
const struct http_peer *http_req_peer(const struct http_req *req);

/* Content-Length, or UINT64_MAX for chunked; 0: no body. */
uint64_t http_req_body_size(const struct http_req *req);
struct aio_loop *http_req_loop(const struct http_req *req);

/* Run @fn once if the client goes away before the request is answered; it is still to be answered. */
void http_req_on_gone(struct http_req *req, aio_fn fn, void *data);

/* Run @fn once when nothing of the request or its answer is left, however it ended. */
void http_req_on_end(struct http_req *req, aio_fn fn, void *data);

/* ---- the body ---- */

/* @body: borrowed until the request is answered; NULL when there was more than @max_bytes. */
typedef void (*http_body_fn)(void *data, struct http_req *req, const struct buf *body);
void http_req_collect(struct http_req *req, size_t max_bytes, http_body_fn fn, void *data);

/*
 * Pump the body into @fd (taken; pipe or socket), holding the client back while it is full, and
 * close it at the end. @code: 0, -EPIPE when the reader closed early, -ECONNABORTED when the client
 * vanished within the body. Called once in any case, after on_gone, even if that answered.
 */
typedef void (*http_sink_fn)(void *data, struct http_req *req, int code);
void http_req_stream(struct http_req *req, int fd, http_sink_fn fn, void *data);

/* ---- the answer ---- */

/* Before the answer; both are copied. */
void http_req_add_header(struct http_req *req, const char *name, const char *value);

/* @body is taken, left empty. */
void http_req_answer(struct http_req *req, unsigned int status, struct buf *body);
void http_req_answer_text(struct http_req *req, unsigned int status, const char *text);

/* @len bytes of the regular file @fd (taken) from @offset on. */
void http_req_answer_file(struct http_req *req, unsigned int status, int fd, uint64_t offset,
			  uint64_t len);

/* A stretch of an answer: @fd (taken, a regular file from its beginning) or, if negative, bytes. */
struct http_part {
	struct buf bytes; /* taken */
	int fd;
	uint64_t len; /* of the file */
};

/* The parts one behind the other, as one body of known length. */
void http_req_answer_parts(struct http_req *req, unsigned int status, const struct http_part *parts,
			   size_t n_parts);

enum http_verdict {
	HTTP_WHOLE,
	HTTP_BROKEN,	/* cut the connection, so that the client sees an error */
	HTTP_UNDECIDED, /* ask again in a moment */
	HTTP_VERDICT_MAX
};

/* What comes out of the pipe @fd (taken), chunked. At its EOF @verdict is asked; NULL: whole. */
typedef enum http_verdict (*http_verdict_fn)(void *data);
void http_req_answer_pipe(struct http_req *req, unsigned int status, int fd,
			  http_verdict_fn verdict, void *data);

/* The same with a Content-Length: exactly @len bytes come out of @fd, else the connection is cut. */
void http_req_answer_pipe_sized(struct http_req *req, unsigned int status, int fd, uint64_t len,
				http_verdict_fn verdict, void *data);

/* Run @fn once when the request is over: its answer is out, or its client gone. Before answering. */
void http_req_on_over(struct http_req *req, aio_fn fn, void *data);

/* ---- upgrade: the raw socket after a 101 ---- */

/* @stream: now the callee's; NULL when the client vanished first. */
typedef void (*http_upgrade_fn)(void *data, struct http_stream *stream);

/* 101 with "Upgrade: @protocol", added headers and the connection handed to @fn. */
void http_req_upgrade(struct http_req *req, const char *protocol, http_upgrade_fn fn, void *data);

int http_stream_fd(const struct http_stream *stream); /* borrowed, non-blocking */

/* Bytes that arrived behind the request's head: to be used before what the socket gives. */
struct buf *http_stream_early(struct http_stream *stream);
struct http_stream *http_stream_free(struct http_stream *stream); /* closes; returns NULL */

/*
 * client/http.h - HTTP/1.1 over a unix socket, as much of it as talking to sysctrd needs
 *
 * One connection, one request at a time, kept alive between requests. Bodies may be streamed both
 * ways. Blocks; a readable interrupt descriptor ends every wait with -EINTR. Never raises SIGPIPE.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strmap.h"

struct http_conn;

/* More of a streamed body into @out. Returns: bytes, 0 at its end, -errno (@err set). */
typedef ssize_t (*http_source_fn)(void *data, void *out, size_t cap, struct err *err);

struct http_request {
	const char *method;
	const char *target;	    /* "/1.0/instances?recursion=2" */
	const char *const *headers; /* "Name: value", NULL-terminated; NULL for none */
	const void *body;
	size_t body_len;
	http_source_fn source; /* instead of body: sent chunked */
	void *source_data;
	const char *upgrade; /* protocol to change to, NULL for none */
};

struct http_reply {
	int status;
	struct strmap headers; /* names in lower case */
};

/*
 * Connect to the daemon's socket. @interrupt_fd: -EBADF for none; borrowed.
 *
 * Errors: ERR_UNAVAILABLE when nobody listens, ERR_FORBIDDEN; the text says what to do.
 */
int http_open(const char *socket_path, int interrupt_fd, struct http_conn **ret_conn,
	      struct err *err);

/*
 * Send a request and read the head of its answer, replacing *@reply.
 *
 * Errors: -EPIPE when the daemon had closed the kept connection before it saw the request (a
 * fresh connection may be tried), -EINTR.
 */
int http_exchange(struct http_conn *conn, const struct http_request *request,
		  struct http_reply *reply, struct err *err);

/* Bytes of the answer's body. Returns: how many, 0 at its end, -errno. */
ssize_t http_read(struct http_conn *conn, void *out, size_t cap, struct err *err);

/* The whole body behind what @body has. Errors: -EFBIG above @max bytes. */
int http_read_all(struct http_conn *conn, struct buf *body, size_t max, struct err *err);

/* The connection can take another request (the body was read to its end). */
bool http_reusable(const struct http_conn *conn);

/*
 * After a 101: the bare descriptor, owned by the caller, with the bytes that came behind the head
 * in @rest. The connection is freed. @ret_passed_fd: a descriptor that came by SCM_RIGHTS with
 * them, or -EBADF.
 */
int http_take_fd(struct http_conn *conn, struct buf *rest, int *ret_passed_fd);

void http_close(struct http_conn *conn); /* NULL allowed */
void http_closep(struct http_conn **conn);
void http_reply_done(struct http_reply *reply);

/*
 * api/request.h - one request on its way through a handler, and its answer
 *
 * Layer: api. A handler answers exactly once with a reply_...(), now or later; that ends the
 * request and frees it. The envelope is that of LXD and Incus: all seven members, always.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "aio/http.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/strmap.h"
#include "codec/jsonw.h"
#include "spec/etag.h"

struct api;
struct core;
struct op;
struct route;

struct api_req {
	struct api *api;
	struct core *core;
	struct http_req *http;
	const struct route *route;
	char **args;		/* decoded values of the pattern's {names}, in order */
	const char *collection; /* first segment behind /1.0: "instances", or "containers" */
	struct strmap query;
	struct mask *mask; /* ?fields=; NULL: everything */
	json_t *body;	   /* of routes with a JSON body; NULL: none was sent */
	struct err err;
	struct buf out;	   /* what jsonw writes: the metadata */
	struct jsonw json; /* into out */
};

typedef void api_handler_fn(struct api_req *req);

/* Value of the query parameter, "" when absent. Borrowed. */
const char *api_query(const struct api_req *req, const char *key);

/* The same of true or false; absent *@value stays. Errors: ERR_INVALID, in req->err. */
int api_query_bool(struct api_req *req, const char *key, bool *value);

/* ?recursion=: 0 for URLs, 1 for objects, 2 for full objects. */
int api_recursion(const struct api_req *req);

/* sync: req->out is the metadata; nothing written means {}. */
void reply_sync(struct api_req *req);

/* sync with 201 and Location: /1.0/@collection/@name, the name encoded. */
void reply_created(struct api_req *req, const char *collection, const char *name);

/* async: 202 with the operation. */
void reply_op(struct api_req *req, struct op *op);

/* From req->err, whose kind says the status. */
void reply_error(struct api_req *req);

/*
 * The request's body goes into @body_fd (taken), which @op reads; reply_op() when it is through. A
 * client that breaks off within it cancels the op.
 */
void reply_op_upload(struct api_req *req, struct op *op, int body_fd);

/* reply_error() when @r is negative, else reply_sync() or reply_op(). */
void reply_result(struct api_req *req, int r);
void reply_op_result(struct api_req *req, int r, struct op *op);

/*
 * What @op writes to the pipe @fd (taken) as the body; its header names the op. If that fails the
 * connection breaks, so that nobody takes it for whole.
 */
void reply_op_pipe(struct api_req *req, struct op *op, int fd);

/* async, of something that is done already: an operation that has succeeded. */
void reply_done_op(struct api_req *req, const char *description, const char *instance);
/* The same once the operation has ended, sync: {} or its error. */
void reply_op_end(struct api_req *req, int r, struct op *op);

/* The same with what @write makes of the op that has succeeded. */
void reply_op_end_with(struct api_req *req, int r, struct op *op,
		       void (*write)(struct api_req *req, struct op *op));

/* A file as it is; @fd taken; @filename NULL: no Content-Disposition. */
void reply_file(struct api_req *req, int fd, const char *filename);

/*
 * What comes out of the pipe @fd (taken): exactly @len bytes, or chunked for UINT64_MAX. @verdict as
 * in aio/http.h.
 */
void reply_pipe(struct api_req *req, int fd, uint64_t len, http_verdict_fn verdict, void *data);

/* @bytes, taken, as they are. */
void reply_bytes(struct api_req *req, struct buf *bytes);

/* Several pieces as one body; all taken. */
void reply_parts(struct api_req *req, const char *content_type, const struct http_part *parts,
		 size_t n_parts);

/* The socket was upgraded: nothing to answer any more. */
void reply_upgraded(struct api_req *req);

/* Send the entity tag with the answer. */
void api_set_etag(struct api_req *req, const struct etag *etag);

/* Errors: ERR_PRECONDITION when If-Match names another state of the object. */
int api_check_etag(struct api_req *req, const struct etag *etag);

/* A header "X-LXD-<name>" or "X-Incus-<name>"; NULL: neither. */
const char *api_file_header(const struct api_req *req, const char *name);

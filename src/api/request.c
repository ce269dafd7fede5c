/* api/request.c - see request.h */
#include "api/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/objects.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "codec/mask.h"
#include "codec/url.h"
#include "core/op.h"

const char *api_query(const struct api_req *req, const char *key)
{
	const char *value = strmap_get(&req->query, key);

	return value ? value : "";
}

int api_query_bool(struct api_req *req, const char *key, bool *value)
{
	const char *text = api_query(req, key);

	if (*text && parse_bool(text, value) < 0)
		return err_kind(&req->err, ERR_INVALID, "%s: \"%s\" is no boolean", key, text);
	return 0;
}

int api_recursion(const struct api_req *req)
{
	const char *value = api_query(req, "recursion");

	return streq(value, "1") ? 1 : streq(value, "2") ? 2 : 0;
}

static void req_free(struct api_req *req)
{
	strv_free(req->args);
	strmap_done(&req->query);
	mask_free(req->mask);
	json_decref(req->body);
	buf_done(&req->out);
	free(req);
}

struct envelope {
	const char *type;
	const char *status;
	int status_code;
	const char *operation;
	int error_code;
	const char *error;
};

static void answer(struct api_req *req, unsigned int http_status, const struct envelope *envelope)
{
	struct buf body = { 0 };
	struct jsonw w = jsonw_new(&body);

	jsonw_begin_object(&w);
	jsonw_add_str(&w, "type", envelope->type);
	jsonw_add_str(&w, "status", envelope->status);
	jsonw_add_i64(&w, "status_code", envelope->status_code);
	jsonw_add_str(&w, "operation", envelope->operation);
	jsonw_add_i64(&w, "error_code", envelope->error_code);
	jsonw_add_str(&w, "error", envelope->error);
	jsonw_key(&w, "metadata");
	jsonw_raw(&w, req->out.data, req->out.len);
	jsonw_end_object(&w);
	buf_add_char(&body, '\n');
	http_req_add_header(req->http, "Content-Type", "application/json");
	http_req_answer(req->http, http_status, &body);
	req_free(req);
}

static void answer_sync(struct api_req *req, unsigned int http_status)
{
	if (req->out.len == 0)
		buf_add_str(&req->out, "{}");
	answer(req, http_status,
	       &(struct envelope){ .type = "sync",
				   .status = "Success",
				   .status_code = 200,
				   .operation = "",
				   .error = "" });
}

void reply_sync(struct api_req *req)
{
	answer_sync(req, 200);
}

void reply_created(struct api_req *req, const char *collection, const char *name)
{
	_cleanup_(freep) char *encoded = url_encode(name);
	_cleanup_(freep) char *location = xasprintf("/1.0/%s/%s", collection, encoded);

	http_req_add_header(req->http, "Location", location);
	answer_sync(req, 201);
}

void reply_op(struct api_req *req, struct op *op)
{
	_cleanup_(freep) char *url = xasprintf("/1.0/operations/%s", op->id);

	op->creator_uid = http_req_peer(req->http)->uid;
	req->out.len = 0;
	req->json = jsonw_new(&req->out);
	write_op(&req->json, op, true);
	http_req_add_header(req->http, "Location", url);
	answer(req, 202,
	       &(struct envelope){ .type = "async",
				   .status = "Operation created",
				   .status_code = 100,
				   .operation = url,
				   .error = "" });
}

void reply_error(struct api_req *req)
{
	int status = err_http_status(req->err.kind);

	req->out.len = 0;
	buf_add_str(&req->out, "null");
	answer(req, (unsigned int)status,
	       &(struct envelope){ .type = "error",
				   .status = "",
				   .operation = "",
				   .error_code = status,
				   .error = err_text(&req->err, req->err.code) });
}

void reply_result(struct api_req *req, int r)
{
	if (r < 0)
		reply_error(req);
	else
		reply_sync(req);
}

void reply_op_result(struct api_req *req, int r, struct op *op)
{
	if (r < 0)
		reply_error(req);
	else
		reply_op(req, op);
}

struct op_end {
	struct api_req *req;
	struct op *op;
	struct op_waiter waiter;
	void (*write)(struct api_req *req, struct op *op); /* NULL: {} */
};

static void op_ended(struct op_waiter *waiter, struct op *op)
{
	struct op_end *end = container_of(waiter, struct op_end, waiter);
	struct api_req *req = end->req;

	op_wait_cancel(waiter);
	req->err = op->err;
	if (end->write && op->status == OP_SUCCESS)
		end->write(req, op);
	op_unref(end->op);
	free(end);
	reply_result(req, req->err.code < 0 ? req->err.code : 0);
}

/* The operation goes on; nobody is there to hear of it. */
static void op_end_gone(void *data)
{
	struct op_end *end = data;

	op_ended(&end->waiter, end->op);
}

void reply_op_end(struct api_req *req, int r, struct op *op)
{
	reply_op_end_with(req, r, op, NULL);
}

void reply_op_end_with(struct api_req *req, int r, struct op *op,
		       void (*write)(struct api_req *req, struct op *op))
{
	struct op_end *end;

	if (r < 0) {
		reply_error(req);
		return;
	}
	end = xcalloc(1, sizeof(*end));
	end->req = req;
	end->op = op_ref(op);
	end->write = write;
	end->waiter.done = op_ended;
	list_init(&end->waiter.node);
	if (op_is_final(op)) {
		op_ended(&end->waiter, op);
		return;
	}
	op_wait(op, &end->waiter);
	http_req_on_gone(req->http, op_end_gone, end);
}

struct upload {
	struct api_req *req;
	struct op *op;
};

/* A helper that closed early has said why: its operation fails, which is the answer. */
static void body_is_through(void *data, struct http_req *http, int code)
{
	struct upload *upload = data;

	(void)http;
	if (code == -ECONNABORTED)
		(void)op_cancel(upload->op, NULL); /* -EINVAL: it has ended by itself */
	reply_op(upload->req, upload->op);
	op_unref(upload->op);
	free(upload);
}

void reply_op_upload(struct api_req *req, struct op *op, int body_fd)
{
	struct upload *upload = xcalloc(1, sizeof(*upload));

	upload->req = req;
	upload->op = op_ref(op);
	http_req_stream(req->http, body_fd, body_is_through, upload);
}

static enum http_verdict verdict_of_op(void *data)
{
	const struct op *op = data;

	if (!op_is_final(op))
		return HTTP_UNDECIDED;
	return op->status == OP_SUCCESS ? HTTP_WHOLE : HTTP_BROKEN;
}

static void release_op(void *data)
{
	op_unref(data);
}

void reply_op_pipe(struct api_req *req, struct op *op, int fd)
{
	op->creator_uid = http_req_peer(req->http)->uid;
	http_req_add_header(req->http, "X-Sysctr-Operation", op->id);
	http_req_on_end(req->http, release_op, op_ref(op));
	reply_pipe(req, fd, UINT64_MAX, verdict_of_op, op);
}

void reply_file(struct api_req *req, int fd, const char *filename)
{
	struct stat st;
	char disposition[300];

	if (fstat(fd, &st) < 0)
		st.st_size = 0;
	if (filename) {
		(void)snprintf(disposition, sizeof(disposition), "inline;filename=%s", filename);
		http_req_add_header(req->http, "Content-Disposition", disposition);
	}
	http_req_add_header(req->http, "Content-Type", "application/octet-stream");
	http_req_answer_file(req->http, 200, fd, 0, (uint64_t)st.st_size);
	req_free(req);
}

void reply_pipe(struct api_req *req, int fd, uint64_t len, http_verdict_fn verdict, void *data)
{
	http_req_add_header(req->http, "Content-Type", "application/octet-stream");
	if (len == UINT64_MAX)
		http_req_answer_pipe(req->http, 200, fd, verdict, data);
	else
		http_req_answer_pipe_sized(req->http, 200, fd, len, verdict, data);
	req_free(req);
}

void reply_bytes(struct api_req *req, struct buf *bytes)
{
	http_req_add_header(req->http, "Content-Type", "application/octet-stream");
	http_req_answer(req->http, 200, bytes);
	req_free(req);
}

void reply_parts(struct api_req *req, const char *content_type, const struct http_part *parts,
		 size_t n_parts)
{
	http_req_add_header(req->http, "Content-Type", content_type);
	http_req_answer_parts(req->http, 200, parts, n_parts);
	req_free(req);
}

void reply_upgraded(struct api_req *req)
{
	req_free(req);
}

void api_set_etag(struct api_req *req, const struct etag *etag)
{
	char text[ETAG_LEN];

	http_req_add_header(req->http, "ETag", etag_format(etag, text));
}

int api_check_etag(struct api_req *req, const struct etag *etag)
{
	if (etag_allows(etag, http_req_header(req->http, "If-Match")))
		return 0;
	return err_kind(&req->err, ERR_PRECONDITION,
			"ETag doesn't match: somebody else changed it meanwhile; read it again");
}

const char *api_file_header(const struct api_req *req, const char *name)
{
	_cleanup_(freep) char *lxd = xasprintf("X-LXD-%s", name);
	_cleanup_(freep) char *incus = xasprintf("X-Incus-%s", name);
	const char *value = http_req_header(req->http, lxd);

	return value ? value : http_req_header(req->http, incus);
}

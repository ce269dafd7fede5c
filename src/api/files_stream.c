/* api/files_stream.c - streams to file servers: SFTP, and whole trees over the client's descriptors */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aio/fdsession.h"
#include "api/files.h"
#include "api/handlers.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "core/core.h"
#include "core/files.h"
#include "core/inst.h"

/* A client and its server; it lives until both are gone. */
struct stream {
	struct core *core;
	char *name; /* of the instance */
	struct files_request request;
	struct fdsession *client; /* NULL: none, or gone */
	struct files_call *call;
};

static struct stream *stream_new(struct api_req *req, struct files_request *request)
{
	struct stream *stream = xcalloc(1, sizeof(*stream));

	stream->core = req->core;
	stream->name = xstrdup(req->args[0]);
	stream->request = *request;
	*request = (struct files_request){ 0 };
	return stream;
}

static void stream_free_if_over(struct stream *stream)
{
	if (stream->client || stream->call)
		return;
	wire_free(&files_request_schema, &stream->request);
	free(stream->name);
	free(stream);
}

/* "exit 0", or "error" with the reason: what went over the stream itself is the client's to know. */
static void tell_client(struct stream *stream, const struct err *err)
{
	_cleanup_(freep) char *line = NULL;

	if (!stream->client)
		return;
	line = err ? str_printable(err->msg, false) : NULL;
	if (line) {
		_cleanup_(freep) char *text = xasprintf("error %s", line);

		(void)fdsession_send(stream->client, text, -EBADF);
	} else {
		(void)fdsession_send(stream->client, "exit 0", -EBADF);
	}
	fdsession_close(stream->client);
}

static void on_ended(void *data, const struct err *err)
{
	struct stream *stream = data;

	stream->call = NULL;
	tell_client(stream, err);
	stream_free_if_over(stream);
}

static void ignore_found(void *data, const struct files_reply *reply)
{
	(void)data;
	(void)reply;
}

static const struct files_handler handler = {
	.on_found = ignore_found,
	.on_ended = on_ended,
};

/* The instance may have changed while the client came. */
static int start(struct stream *stream, int in_fd, int out_fd, struct err *err)
{
	struct inst *inst;
	int r = inst_find(stream->core, stream->name, &inst, err);

	return r < 0 ? r
		     : files_call_new(inst, &stream->request, in_fd, out_fd, &handler, stream,
				      &stream->call, err);
}

/* ---- descriptors of our own client ---- */

static void on_fds(void *data, struct fdsession *session, int *fds, size_t n_fds)
{
	struct stream *stream = data;
	struct err err = { 0 };
	int r;

	stream->client = session;
	if (n_fds < 2)
		r = err_kind(&err, ERR_INVALID, "two descriptors are needed");
	else
		r = start(stream, fds[0], fds[1], &err);
	if (r < 0)
		tell_client(stream, &err);
}

static void on_closed(void *data)
{
	struct stream *stream = data;

	stream->client = fdsession_free(stream->client);
	stream->call = files_call_cancel(stream->call);
	stream_free_if_over(stream);
}

static const struct fdsession_handler fds_handler = {
	.on_fds = on_fds,
	.on_closed = on_closed,
};

static void upgrade_fds(struct api_req *req, struct files_request *request)
{
	fdsession_upgrade(req->http, &fds_handler, stream_new(req, request));
	reply_upgraded(req);
}

static bool flag(const struct api_req *req, const char *key)
{
	bool value = false;

	return parse_bool(api_query(req, key), &value) == 0 && value;
}

static int read_number(struct api_req *req, const char *key, bool octal, uint32_t *ret_value)
{
	const char *text = api_query(req, key);

	if (!*text ||
	    (octal ? parse_octal(text, 07777, ret_value) : parse_u32(text, ret_value)) == 0)
		return 0;
	return err_kind(&req->err, ERR_INVALID, "%s=%.64s is no number of that kind", key, text);
}

static int read_tree(struct api_req *req, struct files_request *request)
{
	const char *tree = api_query(req, "tree"), *follow = api_query(req, "follow");
	int r;

	if (!streq(tree, "push") && !streq(tree, "pull"))
		return err_kind(&req->err, ERR_INVALID, "tree=%.64s: push and pull are known",
				tree);
	r = files_read_request(req, streq(tree, "push") ? FILES_PUSH : FILES_PULL, request);
	if (r == 0)
		r = read_number(req, "uid", false, &request->uid);
	if (r == 0)
		r = read_number(req, "gid", false, &request->gid);
	if (r == 0)
		r = read_number(req, "mode", true, &request->mode);
	request->recursive = flag(req, "recursive");
	request->archive = flag(req, "archive");
	request->parents = flag(req, "parents");
	request->into = flag(req, "into");
	request->follow = streq(follow, "all")	 ? FILES_FOLLOW_ALL
			  : streq(follow, "top") ? FILES_FOLLOW_TOP
						 : FILES_FOLLOW_NONE;
	return r;
}

void files_tree(struct api_req *req)
{
	struct files_request request = { 0 };
	struct inst *inst;
	int r = files_find(req, &inst);

	if (r == 0)
		r = read_tree(req, &request);
	if (r == 0)
		r = files_check(inst, &req->err);
	if (r < 0) {
		wire_free(&files_request_schema, &request);
		reply_error(req);
		return;
	}
	events_publish_lifecycle(&req->core->events,
				 request.op == FILES_PUSH ? "instance-file-pushed"
							  : "instance-file-retrieved",
				 "instances", req->args[0]);
	upgrade_fds(req, &request);
}

/* ---- SFTP ---- */

static void on_stream(void *data, struct http_stream *client)
{
	struct stream *stream = data;
	struct err err = { 0 }; /* the client hears of it by the end of its stream */
	struct buf *early = client ? http_stream_early(client) : NULL;

	if (client && early->len <= FILES_EARLY_MAX) {
		buf_add(&stream->request.early, early->data, early->len);
		(void)start(stream, http_stream_fd(client), http_stream_fd(client), &err);
	}
	(void)http_stream_free(client);
	stream_free_if_over(stream);
}

void sftp_get(struct api_req *req)
{
	const char *upgrade = http_req_header(req->http, "Upgrade");
	struct files_request request = { .op = FILES_SFTP,
					 .path = xstrdup("/"),
					 .uid = FILES_NO_ID,
					 .gid = FILES_NO_ID,
					 .mode = FILES_NO_MODE };
	struct inst *inst;
	int r = files_find(req, &inst);

	if (r == 0 &&
	    (!upgrade || (strcasecmp(upgrade, "sftp") != 0 && !fdsession_wanted(req->http))))
		r = err_kind(&req->err, ERR_INVALID, "Missing or invalid upgrade header");
	if (r == 0)
		r = files_check(inst, &req->err);
	if (r < 0) {
		reply_error(req);
	} else if (fdsession_wanted(req->http)) {
		upgrade_fds(req, &request);
	} else {
		http_req_upgrade(req->http, "sftp", on_stream, stream_new(req, &request));
		reply_upgraded(req);
	}
	wire_free(&files_request_schema, &request);
}

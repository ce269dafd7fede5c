/* api/files.c - /1.0/instances/{name}/files: one file at a time */
#include "api/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "aio/fdsession.h"
#include "aio/poll.h"
#include "api/handlers.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "core/core.h"
#include "core/files.h"
#include "core/inst.h"

enum {
	SMALL_BODY_MAX = 64 * 1024 /* of a request that makes a directory or a link */
};

int files_find(struct api_req *req, struct inst **ret_inst)
{
	return inst_find(req->core, req->args[0], ret_inst, &req->err);
}

int files_read_request(struct api_req *req, enum files_op op, struct files_request *ret_request)
{
	const char *path = api_query(req, "path");

	*ret_request = (struct files_request){
		.op = op,
		.uid = FILES_NO_ID,
		.gid = FILES_NO_ID,
		.mode = FILES_NO_MODE,
	};
	if (!*path)
		return err_kind(&req->err, ERR_INVALID, "path is missing");
	ret_request->path = xstrdup(path);
	return 0;
}

static void publish(const struct api_req *req, const char *action)
{
	events_publish_lifecycle(&req->core->events, action, "instances", req->args[0]);
}

/* ---- reading ---- */

/* It lives until the server has ended and the answer is out, whichever comes last. */
struct get {
	struct api_req *req;	 /* NULL: answered */
	struct files_call *call; /* NULL: ended */
	struct http_req *http;	 /* NULL: over, or nothing streams */
	int data_fd;
	struct aio_poll *poll; /* names of a directory are collected */
	struct buf names;
	bool is_directory, broken;
};

static void close_data(struct get *get)
{
	if (get->data_fd >= 0)
		(void)close(get->data_fd);
	get->data_fd = -EBADF;
}

static void get_free_if_over(struct get *get)
{
	if (get->req || get->call || get->http || get->poll)
		return;
	close_data(get);
	buf_done(&get->names);
	free(get);
}

static void write_names(struct get *get)
{
	struct api_req *req = TAKE_PTR(get->req);

	jsonw_begin_array(&req->json);
	for (size_t at = 0; at < get->names.len; at += strlen(get->names.data + at) + 1)
		jsonw_str(&req->json, get->names.data + at);
	jsonw_end_array(&req->json);
	publish(req, "instance-file-retrieved");
	reply_sync(req);
}

/* Both the names and the server's word are there. */
static void finish_directory(struct get *get)
{
	if (get->poll || get->call)
		return;
	if (get->req && get->broken)
		reply_error(TAKE_PTR(get->req));
	else if (get->req)
		write_names(get);
	get_free_if_over(get);
}

static void on_names(void *data, unsigned int ready)
{
	struct get *get = data;
	ssize_t n = read(get->data_fd, buf_reserve(&get->names, SMALL_BODY_MAX), SMALL_BODY_MAX);

	(void)ready;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		get->names.len += (size_t)n;
	if (n > 0 && get->names.len <= FILES_NAMES_MAX + SMALL_BODY_MAX) {
		get->names.data[get->names.len] = '\0';
		return;
	}
	get->poll = aio_poll_free(get->poll);
	close_data(get);
	finish_directory(get);
}

static void add_header(struct api_req *req, const char *name, const char *value)
{
	_cleanup_(freep) char *lxd = xasprintf("X-LXD-%s", name);
	_cleanup_(freep) char *incus = xasprintf("X-Incus-%s", name);

	http_req_add_header(req->http, lxd, value);
	http_req_add_header(req->http, incus, value);
}

static void add_headers(struct api_req *req, const struct files_reply *reply)
{
	time_t seconds = (time_t)(reply->mtime_ns / 1000000000u);
	struct tm when = { 0 };
	char text[64];

	(void)snprintf(text, sizeof(text), "%u", reply->uid);
	add_header(req, "uid", text);
	(void)snprintf(text, sizeof(text), "%u", reply->gid);
	add_header(req, "gid", text);
	(void)snprintf(text, sizeof(text), "%04o", reply->mode & 07777);
	add_header(req, "mode", text);
	add_header(req, "type", files_type_name((enum files_type)reply->type));
	(void)gmtime_r(&seconds, &when);
	if (strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S +0000 UTC", &when) > 0)
		add_header(req, "modified", text);
}

static enum http_verdict verdict(void *data)
{
	const struct get *get = data;

	if (get->call)
		return HTTP_UNDECIDED;
	return get->broken ? HTTP_BROKEN : HTTP_WHOLE;
}

static void answer_over(void *data)
{
	struct get *get = data;

	get->http = NULL;
	/* a client that left early leaves a server that would write into nothing: it sees that */
	get_free_if_over(get);
}

/* The name in a header: nothing that could end it. */
static void add_disposition(struct api_req *req, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(freep) char *name = str_printable(slash ? slash + 1 : path, false);
	_cleanup_(freep) char *text = xasprintf("inline;filename=%s", name);

	http_req_add_header(req->http, "Content-Disposition", text);
}

static void reply_data(struct get *get, const struct files_reply *reply)
{
	struct api_req *req = TAKE_PTR(get->req);

	add_disposition(req, api_query(req, "path"));
	publish(req, "instance-file-retrieved");
	get->http = req->http;
	http_req_on_over(req->http, answer_over, get);
	reply_pipe(req, TAKE_FD(get->data_fd), reply->size ? reply->size : UINT64_MAX, verdict,
		   get);
}

/* Clients want to know where it leads, not how it is written. */
static char *absolute_target(const char *path, const char *target)
{
	const char *slash = strrchr(path, '/');

	if (target[0] == '/' || !slash)
		return xasprintf("%s%s", target[0] == '/' ? "" : "/", target);
	return xasprintf("%.*s/%s", (int)(slash - path), path, target);
}

static void reply_link(struct get *get, const struct files_reply *reply)
{
	struct api_req *req = TAKE_PTR(get->req);
	struct buf body = { 0 };
	_cleanup_(freep) char *target =
		absolute_target(api_query(req, "path"), reply->target ? reply->target : "");

	buf_add_str(&body, target);
	publish(req, "instance-file-retrieved");
	reply_bytes(req, &body);
}

static void on_found(void *data, const struct files_reply *reply)
{
	struct get *get = data;

	if (!get->req || get->poll)
		return; /* said already */
	add_headers(get->req, reply);
	if (reply->type == FILES_TYPE_DIRECTORY) {
		get->is_directory = true;
		get->poll = aio_poll_new(get->req->core->loop, get->data_fd, on_names, get);
		aio_poll_set(get->poll, AIO_READ);
	} else if (reply->type == FILES_TYPE_SYMLINK) {
		reply_link(get, reply);
	} else {
		reply_data(get, reply);
	}
}

static void on_get_ended(void *data, const struct err *err)
{
	struct get *get = data;

	get->call = NULL;
	get->broken = err;
	if (get->req && err)
		get->req->err = *err;
	if (get->is_directory) {
		finish_directory(get);
		return;
	}
	if (get->req) /* an error before anything was found */
		reply_error(TAKE_PTR(get->req));
	get_free_if_over(get);
}

static const struct files_handler get_handler = {
	.on_found = on_found,
	.on_ended = on_get_ended,
};

static int start_get(struct api_req *req, struct get *get)
{
	struct files_request request;
	struct inst *inst;
	int server_fd, r = files_find(req, &inst);

	if (r == 0)
		r = files_read_request(req, FILES_GET, &request);
	if (r < 0)
		return r;
	r = files_pipe(true, &get->data_fd, &server_fd);
	if (r < 0) {
		(void)err_set(&req->err, r, "make a pipe");
	} else {
		r = files_call_new(inst, &request, -EBADF, server_fd, &get_handler, get, &get->call,
				   &req->err);
		(void)close(server_fd);
	}
	wire_free(&files_request_schema, &request);
	return r;
}

static void get_body_is_there(void *data, struct http_req *http, const struct buf *body)
{
	struct api_req *req = data;
	struct get *get = xcalloc(1, sizeof(*get));

	(void)http;
	(void)body;
	get->data_fd = -EBADF;
	if (start_get(req, get) < 0) {
		reply_error(req);
		get_free_if_over(get);
		return;
	}
	get->req = req;
}

void files_get(struct api_req *req)
{
	if (fdsession_wanted(req->http))
		files_tree(req);
	else
		http_req_collect(req->http, SMALL_BODY_MAX, get_body_is_there, req);
}

/* ---- requests that are answered when they are done ---- */

struct change {
	struct api_req *req;
	struct files_call *call;
	const char *event; /* NULL: none */
	bool streams;	   /* the body still comes */
	bool ended;
	struct err err;
};

static void change_over(struct change *change)
{
	struct api_req *req = change->req;

	if (change->streams || !change->ended)
		return;
	req->err = change->err;
	if (change->err.code == 0 && change->event)
		publish(req, change->event);
	reply_result(req, change->err.code);
	free(change);
}

static void on_change_ended(void *data, const struct err *err)
{
	struct change *change = data;

	change->call = NULL;
	change->ended = true;
	if (err)
		change->err = *err;
	change_over(change);
}

static void on_stat(void *data, const struct files_reply *reply)
{
	struct change *change = data;

	add_headers(change->req, reply);
}

static const struct files_handler change_handler = {
	.on_found = on_stat,
	.on_ended = on_change_ended,
};

/* Takes what is in @request. Returns: the change, or NULL and the request is answered. */
static struct change *start_change(struct api_req *req, struct files_request *request, int in_fd,
				   const char *event)
{
	struct change *change = xcalloc(1, sizeof(*change));
	struct inst *inst;
	int r = files_find(req, &inst);

	change->req = req;
	change->event = event;
	if (r == 0)
		r = files_call_new(inst, request, in_fd, -EBADF, &change_handler, change,
				   &change->call, &req->err);
	wire_free(&files_request_schema, request);
	if (r == 0)
		return change;
	free(change);
	reply_error(req);
	return NULL;
}

static void run_simple(struct api_req *req, enum files_op op, const char *event)
{
	struct files_request request;

	if (files_read_request(req, op, &request) < 0)
		reply_error(req);
	else
		(void)start_change(req, &request, -EBADF, event);
}

void files_head(struct api_req *req)
{
	run_simple(req, FILES_STAT, NULL);
}

void files_delete(struct api_req *req)
{
	run_simple(req, FILES_REMOVE, "instance-file-deleted");
}

/* ---- writing ---- */

static int read_id(struct api_req *req, const char *name, uint32_t *ret_id)
{
	const char *text = api_file_header(req, name);

	if (!text || !*text || streq(text, "-1"))
		return 0;
	if (parse_u32(text, ret_id) < 0 || *ret_id == FILES_NO_ID)
		return err_kind(&req->err, ERR_INVALID, "header %s: \"%.64s\" is no id", name,
				text);
	return 0;
}

/* "0644", "644", and "420", which is what is left of it in some clients. */
static int read_mode(struct api_req *req, uint32_t *ret_mode)
{
	const char *text = api_file_header(req, "mode");

	if (!text || !*text)
		return 0;
	if (parse_octal(text, 07777, ret_mode) < 0)
		return err_kind(&req->err, ERR_INVALID, "header mode: \"%.64s\" is no octal mode",
				text);
	return 0;
}

static int read_write(struct api_req *req, bool *ret_append)
{
	const char *text = api_file_header(req, "write");

	*ret_append = streq(text, "append");
	if (!text || !*text || *ret_append || streq(text, "overwrite"))
		return 0;
	return err_kind(&req->err, ERR_INVALID,
			"header write: \"%.64s\"; overwrite and append are known", text);
}

static int read_post(struct api_req *req, struct files_request *request, enum files_type *ret_type)
{
	const char *type = api_file_header(req, "type");
	int r = files_read_request(req, FILES_PUT, request);

	*ret_type = FILES_TYPE_FILE;
	if (r == 0 && type && *type)
		r = files_type_parse(type, ret_type, &req->err);
	if (r == 0)
		r = read_id(req, "uid", &request->uid);
	if (r == 0)
		r = read_id(req, "gid", &request->gid);
	if (r == 0)
		r = read_mode(req, &request->mode);
	if (r == 0)
		r = read_write(req, &request->append);
	return r;
}

static void body_is_through(void *data, struct http_req *http, int code)
{
	struct change *change = data;

	(void)http;
	change->streams = false;
	if (code == 0 && change->call) {
		files_call_whole(change->call);
	} else if (code == -ECONNABORTED && change->call) {
		change->call = files_call_cancel(change->call);
		change->ended = true;
		(void)err_set(&change->err, code, "receive the file");
	}
	change_over(change);
}

static void post_file(struct api_req *req, struct files_request *request)
{
	struct change *change;
	int data_fd, server_fd, r = files_pipe(false, &data_fd, &server_fd);

	if (r < 0) {
		(void)err_set(&req->err, r, "make a pipe");
		wire_free(&files_request_schema, request);
		reply_error(req);
		return;
	}
	change = start_change(req, request, server_fd, "instance-file-pushed");
	(void)close(server_fd);
	if (!change) {
		(void)close(data_fd);
		return;
	}
	change->streams = true;
	http_req_stream(req->http, data_fd, body_is_through, change);
}

/* A directory, or a link whose target is the body. */
static void small_body_is_there(void *data, struct http_req *http, const struct buf *body)
{
	struct api_req *req = data;
	struct files_request request;
	enum files_type type;

	(void)http;
	if (!body || read_post(req, &request, &type) < 0) {
		if (!body)
			(void)err_kind(&req->err, ERR_INVALID, "the body is too large");
		reply_error(req);
		return;
	}
	request.op = type == FILES_TYPE_DIRECTORY ? FILES_MKDIR : FILES_SYMLINK;
	if (type == FILES_TYPE_SYMLINK)
		request.target = xstrndup(buf_str(body), body->len);
	(void)start_change(req, &request, -EBADF, "instance-file-pushed");
}

void files_post(struct api_req *req)
{
	struct files_request request = { 0 };
	enum files_type type;

	if (read_post(req, &request, &type) < 0) {
		wire_free(&files_request_schema, &request);
		reply_error(req);
	} else if (type == FILES_TYPE_FILE) {
		post_file(req, &request);
	} else {
		wire_free(&files_request_schema, &request);
		http_req_collect(req->http, SMALL_BODY_MAX, small_body_is_there, req);
	}
}

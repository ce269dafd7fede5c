/*
 * api/image_upload.c - POST /1.0/images: JSON, multipart, or the image's bytes
 *
 * Bytes go through a pipe to the helper that stores them, as fast as it takes them; the answer
 * comes when all are through. Without a Content-Type a small body that is JSON counts as JSON.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/handlers.h"
#include "api/image_source.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/url.h"
#include "core/core.h"
#include "core/image.h"
#include "core/image_publish.h"
#include "core/image_pull.h"
#include "core/inst.h"
#include "core/op.h"
#include "spec/names.h"

enum {
	SNIFF_BYTES_MAX = 60 * 1024
}; /* fits a pipe, so that it can be passed on unread */

/* ---- JSON: publish, pull, build ---- */

static int read_aliases(const json_t *body, struct image_record *image, struct err *err)
{
	json_t *alias;
	size_t i;

	json_array_foreach((json_t *)json_get(body, "aliases"), i, alias)
	{
		const char *name = json_str(alias, "name", "");
		int r = name_validate(NAME_IMAGE_ALIAS, name, err);

		if (r < 0)
			return r;
		image_record_add_alias(image, name, json_str(alias, "description", ""));
	}
	return 0;
}

/* Clients that mean the default of the reference say nothing. */
static const char *read_compression(const json_t *body)
{
	const char *compression = json_str(body, "compression_algorithm", "");

	return str_empty(compression) ? "zstd" : compression;
}

static int read_publish(const json_t *body, struct image_publish *publish, struct err *err)
{
	int r = json_check(body, "b:public o:properties a:aliases s:compression_algorithm", err);

	publish->given = image_record_new("");
	publish->compression = xstrdup(read_compression(body));
	publish->given->public = json_bool(body, "public", false);
	if (r == 0)
		r = json_strmap(body, "properties", &publish->given->properties, err);
	if (r == 0)
		r = json_strv(body, "profiles", &publish->given->profiles, err);
	return r < 0 ? r : read_aliases(body, publish->given, err);
}

static int publish(struct api_req *req, const json_t *source, struct op **ret_op)
{
	const char *from = json_str(source, "name", ""), *slash = strchr(from, '/');
	_cleanup_(freep) char *name = xstrndup(from, strcspn(from, "/"));
	struct image_publish *publish;
	struct inst *inst;
	int r = inst_find(req->core, name, &inst, &req->err);

	if (r < 0)
		return r;
	publish = xcalloc(1, sizeof(*publish));
	publish->snapshot = slash ? xstrdup(slash + 1) : NULL;
	r = read_publish(req->body, publish, &req->err);
	if (r < 0) {
		image_publish_free(publish);
		return r;
	}
	return image_publish(inst, publish, ret_op, &req->err);
}

static int pull(struct api_req *req, const json_t *source, struct op **ret_op)
{
	struct image_pull *pull = xcalloc(1, sizeof(*pull));
	int r = json_check(req->body, "b:public b:auto_update o:properties a:aliases a:profiles",
			   &req->err);

	pull->given = image_record_new("");
	pull->given->public = json_bool(req->body, "public", false);
	pull->given->auto_update = json_bool(req->body, "auto_update", false);
	if (r == 0)
		r = read_image_source(source, &pull->source, &req->err);
	if (r == 0)
		r = json_strmap(req->body, "properties", &pull->given->properties, &req->err);
	if (r == 0)
		r = json_strv(req->body, "profiles", &pull->given->profiles, &req->err);
	if (r == 0)
		r = read_aliases(req->body, pull->given, &req->err);
	if (r < 0) {
		image_pull_free(pull);
		return r;
	}
	return image_pull(req->core, pull, ret_op, &req->err);
}

static void build(struct api_req *req)
{
	const json_t *source = json_get_object(req->body, "source");
	const json_t *aliases = json_get(req->body, "aliases");
	const char *type = json_str(source, "type", "");
	const char *template = json_str(source, "template", json_str(source, "name", NULL));
	const char *yaml = json_str(source, "yaml", NULL);
	const char *alias = json_str(json_array_get(aliases, 0), "name", NULL);
	struct op *op = NULL;
	int r;

	if (streq(type, "instance") || streq(type, "container") || streq(type, "snapshot"))
		r = publish(req, source, &op);
	else if (streq(type, "image"))
		r = pull(req, source, &op);
	else if (!streq(type, "template"))
		r = err_kind(
			&req->err, ERR_UNSUPPORTED,
			"image source \"%s\" is not offered; image, instance, snapshot, template and "
			"uploads are",
			type);
	else if (!template)
		r = err_kind(&req->err, ERR_INVALID, "source: template is missing");
	else
		r = image_build(req->core, template, yaml, alias, &op, &req->err);
	reply_op_result(req, r, op);
}

/* ---- uploads ---- */

/* boundary=... of multipart/form-data, with or without quotes; NULL: none. */
static char *boundary_of(const char *content_type)
{
	const char *value = strstr(content_type, "boundary=");

	if (!value)
		return NULL;
	value += strlen("boundary=");
	if (*value == '"')
		return xstrndup(value + 1, strcspn(value + 1, "\""));
	return xstrndup(value, strcspn(value, "; "));
}

static int read_headers(struct api_req *req, struct image_upload *upload)
{
	const char *type = http_req_header(req->http, "Content-Type");
	const char *public = api_file_header(req, "public");

	if (type && str_after(type, "multipart/form-data")) {
		upload->boundary = boundary_of(type);
		if (!upload->boundary)
			return err_kind(&req->err, ERR_INVALID, "multipart body without boundary");
	}
	upload->filename = xstrdup(api_file_header(req, "filename"));
	upload->fingerprint = xstrdup(api_file_header(req, "fingerprint"));
	if (public && parse_bool(public, &upload->public) < 0)
		return err_kind(&req->err, ERR_INVALID, "header public: \"%s\" is no boolean",
				public);
	if (url_parse_query(api_file_header(req, "properties"), &upload->properties) < 0 ||
	    url_query_values(api_file_header(req, "profiles"), "profile", &upload->profiles) < 0 ||
	    url_query_values(api_file_header(req, "aliases"), "alias", &upload->aliases) < 0)
		return err_kind(&req->err, ERR_INVALID, "broken image headers");
	return 0;
}

static int start_upload(struct api_req *req, int *ret_body_fd, struct op **ret_op)
{
	struct image_upload *upload = xcalloc(1, sizeof(*upload));

	upload->body_fd = -EBADF;
	if (read_headers(req, upload) < 0) {
		image_upload_free(upload);
		return req->err.code;
	}
	return image_upload(req->core, upload, ret_body_fd, ret_op, &req->err);
}

static void receive(struct api_req *req)
{
	struct op *op;
	int body_fd;

	if (start_upload(req, &body_fd, &op) < 0)
		reply_error(req);
	else
		reply_op_upload(req, op, body_fd);
}

/* A small body that is no JSON is an image: it is all here already. */
static void pass_on(struct api_req *req, const struct buf *body)
{
	struct op *op;
	int body_fd;

	if (start_upload(req, &body_fd, &op) < 0) {
		reply_error(req);
		return;
	}
	if (write(body_fd, body->data, body->len) != (ssize_t)body->len)
		(void)op_cancel(op, NULL);
	(void)close(body_fd);
	reply_op(req, op);
}

static void small_body(void *data, struct http_req *http, const struct buf *body)
{
	struct api_req *req = data;
	const char *type = http_req_header(http, "Content-Type");
	bool is_json = type && str_after(type, "application/json");

	if (!body || (json_parse(body->data, body->len, &req->body, &req->err) < 0 && is_json)) {
		if (!body)
			(void)err_kind(&req->err, ERR_INVALID, "request body is too large");
		reply_error(req);
	} else if (req->body) {
		build(req);
	} else {
		req->err = (struct err){ 0 };
		pass_on(req, body);
	}
}

void images_post(struct api_req *req)
{
	const char *type = http_req_header(req->http, "Content-Type");

	if (type && str_after(type, "application/json"))
		http_req_collect(req->http, HTTP_BODY_BYTES_MAX, small_body, req);
	else if (!type && http_req_body_size(req->http) <= SNIFF_BYTES_MAX)
		http_req_collect(req->http, SNIFF_BYTES_MAX, small_body, req);
	else
		receive(req);
}

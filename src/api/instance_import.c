/*
 * api/instance_import.c - see instance_import.h
 *
 * The bytes go through a pipe to the helper that stores them; the operation is the answer, once all
 * are through.
 */
#include "api/instance_import.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "core/import.h"
#include "core/op.h"

bool is_backup(const struct api_req *req)
{
	const char *type = http_req_header(req->http, "Content-Type");

	return type && str_after(type, "application/octet-stream");
}

static int start(struct api_req *req, int *ret_body_fd, struct op **ret_op)
{
	const char *name = api_file_header(req, "name"), *pool = api_file_header(req, "pool");
	const char *trusted = http_req_header(req->http, "X-Sysctr-trusted");
	const char *devices = api_file_header(req, "devices");
	struct import *import;
	bool is_trusted = false;

	if (!str_empty(devices))
		return err_kind(&req->err, ERR_UNSUPPORTED,
				"devices cannot be given with an import: edit them afterwards");
	if (trusted && parse_bool(trusted, &is_trusted) < 0)
		return err_kind(&req->err, ERR_INVALID,
				"header X-Sysctr-trusted: \"%s\" is no boolean", trusted);
	import = xcalloc(1, sizeof(*import));
	import->name = str_empty(name) ? NULL : xstrdup(name);
	import->pool = str_empty(pool) ? NULL : xstrdup(pool);
	import->trusted = is_trusted;
	return import_start(req->core, import, ret_body_fd, ret_op, &req->err);
}

void import_backup(struct api_req *req)
{
	struct op *op;
	int body_fd;

	if (start(req, &body_fd, &op) < 0)
		reply_error(req);
	else
		reply_op_upload(req, op, body_fd);
}

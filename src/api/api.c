/* api/api.c - see api.h: from a request's head to its handler */
#include "api/api.h"

#include <errno.h>
#include <stdlib.h>

#include "aio/http.h"
#include "api/api_priv.h"
#include "api/request.h"
#include "api/routes.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/mask.h"
#include "codec/url.h"

struct api *api_new(struct core *core, void (*shutdown)(void *data), void *data)
{
	struct api *api = xcalloc(1, sizeof(*api));

	api->core = core;
	api->shutdown = shutdown;
	api->shutdown_data = data;
	return api;
}

struct api *api_free(struct api *api)
{
	free(api);
	return NULL;
}

/* There is one project; naming another is an error rather than a surprise. */
static int check_project(struct api_req *req)
{
	const char *project = api_query(req, "project");

	if (*project && !streq(project, "default"))
		return err_kind(&req->err, ERR_NOT_FOUND, "Project not found: \"%s\"", project);
	return 0;
}

/* ?fields= of what is read: only these members are written. */
static int take_fields(struct api_req *req)
{
	const char *fields = api_query(req, "fields");
	int r;

	if (!*fields || !streq(http_req_method(req->http), "GET"))
		return 0;
	r = mask_parse(fields, &req->mask, &req->err);
	if (r == 0)
		jsonw_set_mask(&req->json, req->mask);
	return r;
}

/* Answered without one, though the route wants a body: the handlers say what is missing. */
static void body_is_there(void *data, struct http_req *http, const struct buf *body)
{
	struct api_req *req = data;

	(void)http;
	if (!body) {
		(void)err_kind(&req->err, ERR_INVALID, "request body is larger than %d bytes",
			       HTTP_BODY_BYTES_MAX);
		reply_error(req);
		return;
	}
	if (req->route->body == BODY_JSON && body->len > 0 &&
	    json_parse(body->data, body->len, &req->body, &req->err) < 0) {
		reply_error(req);
		return;
	}
	req->route->handler(req);
}

static int find_handler(struct api_req *req)
{
	const char *method = http_req_method(req->http);
	const char *path = http_req_path(req->http);
	_cleanup_(freep) char *allow = NULL;

	switch (route_find(method, path, &req->route, &req->args, &allow)) {
	case 0:
		break;
	case -EPERM:
		http_req_add_header(req->http, "Allow", allow);
		return err_kind(&req->err, ERR_UNSUPPORTED, "%s is not offered for %s, but %s",
				method, path, allow);
	case -EINVAL:
		return err_kind(&req->err, ERR_INVALID, "broken path %s", path);
	default:
		return err_kind(&req->err, ERR_NOT_FOUND, "not found: %s", path);
	}
	if (url_parse_query(http_req_query(req->http), &req->query) < 0)
		return err_kind(&req->err, ERR_INVALID, "broken query ?%s",
				http_req_query(req->http));
	int r = check_project(req);
	return r < 0 ? r : take_fields(req);
}

void api_handle(void *data, struct http_req *http)
{
	struct api *api = data;
	struct api_req *req = xcalloc(1, sizeof(*req));

	req->api = api;
	req->core = api->core;
	req->http = http;
	req->json = jsonw_new(&req->out);
	req->collection =
		str_after(http_req_path(http), "/1.0/containers") ? "containers" : "instances";
	if (find_handler(req) < 0)
		reply_error(req);
	else if (req->route->body == BODY_OWN)
		req->route->handler(req);
	else
		http_req_collect(http, HTTP_BODY_BYTES_MAX, body_is_there, req);
}

/*
 * api/routes.h - the table of routes and its matcher
 *
 * Layer: api. A pattern is "/1.0/instances/{name}/state"; "{rest...}" as the last segment takes all
 * that is left, decoded and joined by '/'. Raw '/' splits before decoding: "c1%2Fsnap0" is one
 * segment. docs/rest-api.md has a row for each pattern; a test compares.
 */
#pragma once

#include <stddef.h>

#include "api/request.h"

enum route_body {
	BODY_IGNORED, /* may be there, is dropped */
	BODY_JSON,    /* collected and parsed into req->body */
	BODY_OWN,     /* the handler reads it itself */
	ROUTE_BODY_MAX
};

struct route {
	const char *method;
	const char *pattern;
	enum route_body body;
	api_handler_fn *handler;
};

extern const struct route routes[];
extern const size_t n_routes;

/*
 * Find the route of @method and raw @path.
 *
 * @ret_args: strv of the captured segments, the caller's.
 * @ret_allow: for -EPERM: methods of that path, "GET, PUT"; the caller's.
 * Returns: 0; -ENOENT: no such path; -EPERM: not with this method; -EINVAL: broken escapes.
 */
int route_find(const char *method, const char *path, const struct route **ret_route,
	       char ***ret_args, char **ret_allow);

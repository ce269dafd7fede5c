/*
 * api/api.h - the REST API on top of core: HTTP in, core call, HTTP out, no decisions
 *
 * Layer: api. Process: sysctrd. docs/rest-api.md has a row for each route.
 */
#pragma once

#include "core/side_files.h"

struct api;
struct core;
struct http_req;

/* @shutdown: called when a client asks the daemon to stop (PUT /internal/shutdown). */
struct api *api_new(struct core *core, void (*shutdown)(void *data), void *data);
struct api *api_free(struct api *api); /* returns NULL */

/* Side files (core/side_files.h): YAML, as the index of a backup and a bit more. */
extern const struct side_texts api_side_texts;

/* For http_config.on_request: @api is a struct api *. */
void api_handle(void *api, struct http_req *req);

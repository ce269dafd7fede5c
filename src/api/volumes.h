/* api/volumes.h - custom volumes as other resources show and use them (api) */
#pragma once

#include "api/request.h"

struct volume;

/* @name: "pool/volume" or "pool/volume/snapshot". */
void write_volume_url(struct jsonw *w, const char *name);

/* The custom volume that the path names. Errors: ERR_NOT_FOUND; ERR_UNSUPPORTED for other types. */
int api_find_volume(struct api_req *req, struct volume **ret_volume);

/* POST of custom volumes whose body is a backup. */
void import_volume(struct api_req *req);

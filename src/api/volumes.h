/* api/volumes.h - custom volumes as other resources show and use them (api) */
#pragma once

#include "api/request.h"

struct inst;
struct volume;

/* The custom volume that the path names. Errors: ERR_NOT_FOUND; ERR_UNSUPPORTED for other types. */
int api_find_volume(struct api_req *req, struct volume **ret_volume);

/* The instance whose root the path names, as one of type "container". Errors: ERR_NOT_FOUND. */
int api_find_root(struct api_req *req, struct inst **ret_inst);

/* Answers @req with a backup of @volume, packed as it is read; @alone: without its snapshots. */
void export_volume(struct api_req *req, struct volume *volume, bool alone, const char *compression);

/* Its side file; owned. */
char *volume_side_text(const struct volume *volume);

/* POST of custom volumes whose body is a backup. */
void import_volume(struct api_req *req);

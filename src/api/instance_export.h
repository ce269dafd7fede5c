/* api/instance_export.h - an instance as the body of an answer (api) */
#pragma once

#include <stdbool.h>

#include "api/request.h"

struct inst;

/* Answers @req with a backup of @inst, packed as it is read; or with why not. */
void export_instance(struct api_req *req, struct inst *inst, bool instance_only,
		     const char *compression);

/* JSON, taken, as the YAML of an index: owned. @portable: with keys that others take. */
char *export_yaml(struct buf *json, bool portable);

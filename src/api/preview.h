/* api/preview.h - answers about what an edit would change, and where values come from (api) */
#pragma once

#include "api/request.h"
#include "core/preview.h"

/* Whether the request asks for no more than a preview: ?dry-run=1. */
bool api_is_dry_run(const struct api_req *req);

/* Answer with @changes (emptied), or with req->err when @r is negative. */
void reply_preview(struct api_req *req, int r, struct changes *changes);

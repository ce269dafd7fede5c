/* api/image_source.h - "source" of requests for images of other servers (api, sysctrd) */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "core/image_pull.h"

/*
 * {server, protocol, alias, fingerprint, mode}, also as clients of the reference send it.
 * *@ret_source is the caller's to free, also after an error.
 * Errors: ERR_UNSUPPORTED unless it is a container of a simplestreams server, ERR_INVALID.
 */
int read_image_source(const json_t *source, struct image_source *ret_source, struct err *err);

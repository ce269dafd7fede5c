/* cli/info.h - the text of "info NAME" (cli, sysctr; pure) */
#pragma once

#include <jansson.h>

#include "base/buf.h"

/* @instance: the full object. The text may hold control characters of the instance's. */
void info_format(const json_t *instance, struct buf *out);

/* cli/expanded.h - an expanded configuration with the origin of every value (cli, sysctr) */
#pragma once

#include <jansson.h>

#include "base/buf.h"

/*
 * @value, an instance's writable part with "config" and "devices" expanded, as YAML that still
 * reads as such: behind each key a comment says which profile, or the instance, it comes from.
 * @origins: answer of GET .../origins.
 */
void expanded_emit(const json_t *value, const json_t *origins, struct buf *out);

/*
 * codec/yaml.h - YAML documents to json_t and back
 *
 * Any process; never blocks. The part of YAML that configurations need, hostile input in mind:
 *
 *   Y1  At most YAML_BYTES_MAX, YAML_DEPTH_MAX and one document; anchors, aliases, tags other than
 *       !!str !!map !!seq, merge keys and duplicate keys are refused.
 *   Y2  Every scalar becomes a JSON string as it is written ("on" stays "on"), except that a plain
 *       null, ~ or empty one becomes null. Keys must be scalars.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	YAML_BYTES_MAX = 1024 * 1024,
	YAML_DEPTH_MAX = 32
};

/* An empty document gives JSON null. Errors: ERR_INVALID "line 3, column 7: ...". */
int yaml_parse(const void *text, size_t len, json_t **ret_json, struct err *err);

/*
 * Append @value in block style with two blanks of indentation, keys in the object's order; a
 * string that YAML would read as something else is quoted. Ends with a newline.
 */
void yaml_emit(const json_t *value, struct buf *out);

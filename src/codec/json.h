/*
 * codec/json.h - JSON that others wrote: parsed by jansson within limits, read by typed getters
 *
 * Any process; never blocks. Values are jansson's json_t; free with _cleanup_(json_decrefp).
 *
 *   J1  Size and nesting are checked before the parser allocates anything.
 *   J2  Every getter treats null, a missing key and a NULL or non-object @obj alike. A key is
 *       found in its exact spelling, else in any case (real clients send "Config").
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"

enum {
	JSON_BYTES_MAX = 8 * 1024 * 1024,
	JSON_DEPTH_MAX = 32
};

/*
 * Any JSON value, not just objects. Duplicate keys, NUL in strings and invalid UTF-8 are refused.
 * Errors: ERR_INVALID naming line and column.
 */
int json_parse(const void *bytes, size_t len, json_t **ret_json, struct err *err);

/*
 * Check the types of what is there: @form is words "<type>:<key>" with s string, b boolean,
 * i integer, o object, a array: "s:name b:ephemeral o:config". Unknown keys are no error.
 * Errors: ERR_INVALID naming the key; also when @obj is no object.
 */
int json_check(const json_t *obj, const char *form, struct err *err);

/* The value of @key, borrowed; NULL for missing and null. */
json_t *json_get(const json_t *obj, const char *key);

/* As json_get(), but NULL unless it is an object. */
json_t *json_get_object(const json_t *obj, const char *key);

/* Of another type than asked for counts as missing. Strings are borrowed. */
const char *json_str(const json_t *obj, const char *key, const char *fallback);
bool json_bool(const json_t *obj, const char *key, bool fallback);
int64_t json_i64(const json_t *obj, const char *key, int64_t fallback);

/*
 * Put every member of the object @key into @map (which is not emptied); its values must be strings.
 * json_to_strmap() takes the object itself. Errors: ERR_INVALID 'config: "limits.cpu" must be a
 * string'.
 */
int json_strmap(const json_t *obj, const char *key, struct strmap *map, struct err *err);
int json_to_strmap(const json_t *value, const char *what, struct strmap *map, struct err *err);

/* The array of strings @key; *@ret_v is NULL when it is missing. Errors: as json_strmap(). */
int json_strv(const json_t *obj, const char *key, char ***ret_v, struct err *err);

/* codec/json.c - see json.h */
#include "codec/json.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

/* Deepest nesting of brackets outside strings; enough to bound the parser's recursion (J1). */
static size_t depth_of(const char *text, size_t len)
{
	size_t depth = 0, deepest = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			depth++;
			deepest = MAX(deepest, depth);
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return deepest;
}

int json_parse(const void *bytes, size_t len, json_t **ret_json, struct err *err)
{
	json_error_t failure;
	json_t *json;

	if (len > JSON_BYTES_MAX)
		return err_kind(err, ERR_INVALID, "JSON of %zu bytes, at most %d", len,
				JSON_BYTES_MAX);
	if (depth_of(bytes, len) > JSON_DEPTH_MAX)
		return err_kind(err, ERR_INVALID, "JSON nested deeper than %d", JSON_DEPTH_MAX);
	json = json_loadb(len > 0 ? bytes : "", len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES,
			  &failure);
	if (!json)
		return err_kind(err, ERR_INVALID, "JSON line %d, column %d: %s", failure.line,
				failure.column, failure.text);
	*ret_json = json;
	return 0;
}

json_t *json_get(const json_t *obj, const char *key)
{
	json_t *value = json_object_get(obj, key);
	const char *other;

	/* jansson's iteration takes a non-const object, but leaves it alone */
	for (void *i = value ? NULL : json_object_iter((json_t *)obj); i;
	     i = json_object_iter_next((json_t *)obj, i)) {
		other = json_object_iter_key(i);
		if (strcasecmp(other, key) != 0)
			continue;
		value = json_object_iter_value(i);
		break;
	}
	return json_is_null(value) ? NULL : value;
}

json_t *json_get_object(const json_t *obj, const char *key)
{
	json_t *value = json_get(obj, key);

	return json_is_object(value) ? value : NULL;
}

/* The words for the letter @want when @value is of another type, else NULL. */
static const char *type_mismatch(char want, const json_t *value)
{
	static const struct {
		char letter;
		json_type type, also;
		const char *words;
	} types[] = {
		{ 's', JSON_STRING, JSON_STRING, "a string" },
		{ 'b', JSON_TRUE, JSON_FALSE, "true or false" },
		{ 'i', JSON_INTEGER, JSON_INTEGER, "a whole number" },
		{ 'o', JSON_OBJECT, JSON_OBJECT, "an object" },
		{ 'a', JSON_ARRAY, JSON_ARRAY, "a list" },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].letter == want)
			return json_typeof(value) == types[i].type ||
					       json_typeof(value) == types[i].also
				       ? NULL
				       : types[i].words;
	return "of a known type";
}

int json_check(const json_t *obj, const char *form, struct err *err)
{
	_cleanup_(strv_freep) char **words = strv_split(form, " ");

	if (!json_is_object(obj))
		return err_kind(err, ERR_INVALID, "a JSON object is expected");
	for (size_t i = 0; words && words[i]; i++) {
		const json_t *value = json_get(obj, words[i] + 2);
		const char *expected = value ? type_mismatch(words[i][0], value) : NULL;

		if (expected)
			return err_kind(err, ERR_INVALID, "\"%s\" must be %s", words[i] + 2,
					expected);
	}
	return 0;
}

const char *json_str(const json_t *obj, const char *key, const char *fallback)
{
	const json_t *value = json_get(obj, key);

	return json_is_string(value) ? json_string_value(value) : fallback;
}

bool json_bool(const json_t *obj, const char *key, bool fallback)
{
	const json_t *value = json_get(obj, key);

	return json_is_boolean(value) ? json_is_true(value) : fallback;
}

int64_t json_i64(const json_t *obj, const char *key, int64_t fallback)
{
	const json_t *value = json_get(obj, key);

	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

int json_to_strmap(const json_t *value, const char *what, struct strmap *map, struct err *err)
{
	json_t *member;
	const char *name;

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_object(value))
		return err_kind(err, ERR_INVALID, "\"%s\" must be an object", what);
	json_object_foreach((json_t *)value, name, member)
	{
		if (!json_is_string(member))
			return err_kind(err, ERR_INVALID, "%s: \"%s\" must be a string", what,
					name);
		strmap_set(map, name, json_string_value(member));
	}
	return 0;
}

int json_strmap(const json_t *obj, const char *key, struct strmap *map, struct err *err)
{
	return json_to_strmap(json_get(obj, key), key, map, err);
}

int json_strv(const json_t *obj, const char *key, char ***ret_v, struct err *err)
{
	_cleanup_(strv_freep) char **v = NULL;
	const json_t *value = json_get(obj, key);
	json_t *item;
	size_t i;

	if (value && !json_is_array(value))
		return err_kind(err, ERR_INVALID, "\"%s\" must be a list", key);
	json_array_foreach(value, i, item)
	{
		if (!json_is_string(item))
			return err_kind(err, ERR_INVALID, "\"%s\" must be a list of strings", key);
		strv_push(&v, json_string_value(item));
	}
	*ret_v = TAKE_PTR(v);
	return 0;
}

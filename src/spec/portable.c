/* spec/portable.c - see portable.h */
#include "spec/portable.h"

#include <string.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "spec/keys.h"

#define PREFIX "user.sysctr."

/* Lists are separated by ", " there, and Sunday is 0 alone. */
static bool is_common_schedule(const char *value)
{
	const char *last = strrchr(value, ' ');

	if (strstr(value, ",@") || (last && strchr(last, '7')))
		return false;
	return value[0] != '@' || !strchr(value, ',') || strstr(value, ", ");
}

/* A size is ours alone. */
static bool is_common_swap(const char *value)
{
	bool swaps;

	return parse_bool(value, &swaps) == 0;
}

/* Keys that they know, but not with every value. */
static const struct {
	const char *key;
	bool (*is_common)(const char *value);
} shared[] = {
	{ "limits.memory.swap", is_common_swap },
	{ "snapshots.schedule", is_common_schedule },
};

static bool is_refused(const char *key, const char *value)
{
	const struct key_row *row = keys_find(key);

	for (size_t i = 0; i < ARRAY_LEN(shared); i++)
		if (streq(key, shared[i].key))
			return !shared[i].is_common(value);
	return row && (row->flags & KEY_UNPORTABLE);
}

/* Where it ran, as what and with which ids. */
static bool is_of_host(const char *key)
{
	const char *name = str_after(key, "volatile.");

	return name && (str_after(name, "last_state.") || str_after(name, "idmap.") ||
			str_ends_with(name, ".host_name"));
}

/* Returns: owned. */
static json_t *encode_config(json_t *config)
{
	json_t *encoded = json_object();
	const char *key;
	json_t *value;

	json_object_foreach(config, key, value)
	{
		_cleanup_(freep) char *name = xasprintf(PREFIX "%s", key);

		if (json_is_string(value) && is_refused(key, json_string_value(value)))
			(void)json_object_set(encoded, name, value);
		else if (!is_of_host(key))
			(void)json_object_set(encoded, key, value);
	}
	return encoded;
}

void portable_encode(json_t *index)
{
	const char *key;
	json_t *value;
	size_t i;

	json_array_foreach(index, i, value) portable_encode(value);
	json_object_foreach(index, key, value)
	{
		portable_encode(value);
		if (streq(key, "config") && json_is_object(value))
			(void)json_object_set_new(index, key, encode_config(value));
	}
}

const char *portable_decode(const char *key)
{
	const char *end = str_after(key, PREFIX);
	const struct key_row *row = end ? keys_find(end) : NULL;

	for (size_t i = 0; end && i < ARRAY_LEN(shared); i++)
		if (streq(end, shared[i].key))
			return end;
	return row && (row->flags & KEY_UNPORTABLE) ? end : key;
}

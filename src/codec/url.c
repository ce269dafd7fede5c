/* codec/url.c - see url.h */
#include "codec/url.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EINVAL;
}

/* The byte that %XX at @s stands for. Returns: 1 to 255 or -EINVAL. */
static int escaped_byte(const char *s, size_t len)
{
	int high, low;

	if (len < 3)
		return -EINVAL;
	high = hex_value(s[1]);
	low = hex_value(s[2]);
	if (high < 0 || low < 0 || (high == 0 && low == 0))
		return -EINVAL;
	return high * 16 + low;
}

/* @plus: '+' is a blank. */
static int decode(const char *s, size_t len, bool plus, char **ret_text)
{
	_cleanup_(buf_done) struct buf text = { 0 };

	for (size_t i = 0; i < len; i++) {
		int byte = (unsigned char)s[i];

		if (byte == '%') {
			byte = escaped_byte(s + i, len - i);
			i += 2;
		} else if (byte == '+' && plus) {
			byte = ' ';
		}
		if (byte <= 0)
			return -EINVAL;
		buf_add_char(&text, (char)byte);
	}
	*ret_text = buf_take_str(&text);
	return 0;
}

int url_decode(const char *s, size_t len, char **ret_text)
{
	return decode(s, len, false, ret_text);
}

char *url_encode(const char *s)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	struct buf text = { 0 };

	for (; *s; s++) {
		if (strchr(plain, *s))
			buf_add_char(&text, *s);
		else
			buf_printf(&text, "%%%02X", (unsigned int)(unsigned char)*s);
	}
	return buf_take_str(&text);
}

int url_split_path(const char *path, char ***ret_segments)
{
	_cleanup_(strv_freep) char **segments = NULL;
	const char *end = path + strcspn(path, "?");
	size_t n = 0;

	if (path[0] != '/')
		return -EINVAL;
	for (const char *p = path + 1; p <= end && end - path > 1;) {
		size_t len = MIN(strcspn(p, "/"), (size_t)(end - p));
		char *segment;
		int r = url_decode(p, len, &segment);

		if (r < 0)
			return r;
		strv_push_take(&segments, segment);
		if (++n > URL_SEGMENTS_MAX)
			return -E2BIG;
		p += len + 1;
	}
	*ret_segments = TAKE_PTR(segments);
	return 0;
}

/* Hand each decoded pair of @query to @take, which owns both. */
static int each_pair(const char *query, void (*take)(void *data, char *key, char *value),
		     void *data)
{
	size_t n = 0;

	for (const char *p = query ? query : ""; *p; p += *p == '&') {
		size_t len = strcspn(p, "&"), key_len = MIN(strcspn(p, "="), len);
		size_t value_at = MIN(key_len + 1, len);
		_cleanup_(freep) char *key = NULL, *value = NULL;
		int r = decode(p, key_len, true, &key);

		if (r == 0)
			r = decode(p + value_at, len - value_at, true, &value);
		if (r < 0)
			return r;
		if (len > 0 && ++n > URL_PAIRS_MAX)
			return -E2BIG;
		if (len > 0)
			take(data, TAKE_PTR(key), TAKE_PTR(value));
		p += len;
	}
	return 0;
}

static void take_into_map(void *data, char *key, char *value)
{
	_cleanup_(freep) char *owned = key;

	strmap_set_take(data, owned, value);
}

int url_parse_query(const char *query, struct strmap *ret_pairs)
{
	struct strmap pairs = { 0 };
	int r = each_pair(query, take_into_map, &pairs);

	if (r < 0) {
		strmap_done(&pairs);
		return r;
	}
	*ret_pairs = pairs;
	return 0;
}

struct wanted {
	const char *key;
	char **values;
};

static void take_if_wanted(void *data, char *key, char *value)
{
	_cleanup_(freep) char *owned_key = key, *owned_value = value;
	struct wanted *wanted = data;

	if (streq(owned_key, wanted->key))
		strv_push_take(&wanted->values, TAKE_PTR(owned_value));
}

int url_query_values(const char *query, const char *key, char ***ret_values)
{
	struct wanted wanted = { .key = key };
	int r = each_pair(query, take_if_wanted, &wanted);

	if (r < 0) {
		strv_free(wanted.values);
		return r;
	}
	*ret_values = wanted.values;
	return 0;
}

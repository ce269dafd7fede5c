/* codec/jsonw.c - see jsonw.h */
#include "codec/jsonw.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "codec/mask.h"

struct jsonw jsonw_new(struct buf *out)
{
	return (struct jsonw){ .out = out, .start = out->len };
}

void jsonw_set_mask(struct jsonw *w, const struct mask *mask)
{
	w->root = mask;
}

bool jsonw_wants(const struct jsonw *w, const char *key)
{
	return !w->root || (w->skipped == 0 && mask_child(w->levels[w->depth - 1], key));
}

/* Whether the value that comes now is to be written; its key, if it has one, is forgotten. */
static bool is_wanted(struct jsonw *w)
{
	bool keyed = w->keyed;

	if (!w->root)
		return true;
	w->keyed = false;
	if (w->skipped > 0)
		return false;
	if (!keyed) /* the document, or an element of an array: the root's mask is for both */
		w->value = w->depth <= 1 ? w->root : mask_child(w->levels[w->depth - 1], "*");
	return w->value;
}

/* An object or array is about to be opened, or to be left out as a whole. */
static bool enter(struct jsonw *w)
{
	if (!is_wanted(w)) {
		w->skipped++;
		return false;
	}
	if (w->root) {
		assert(w->depth < JSONW_DEPTH_MAX);
		w->levels[w->depth++] = w->value;
	}
	return true;
}

static bool leave(struct jsonw *w)
{
	if (w->skipped > 0) {
		w->skipped--;
		return false;
	}
	if (w->root)
		w->depth--;
	return true;
}

/* A comma unless this is the first value, or the value of a key: the last byte tells. */
static void separate(struct jsonw *w)
{
	char last;

	if (w->out->len == w->start)
		return;
	last = w->out->data[w->out->len - 1];
	if (last != '{' && last != '[' && last != ':')
		buf_add_char(w->out, ',');
}

void jsonw_begin_object(struct jsonw *w)
{
	if (!enter(w))
		return;
	separate(w);
	buf_add_char(w->out, '{');
}

void jsonw_end_object(struct jsonw *w)
{
	if (leave(w))
		buf_add_char(w->out, '}');
}

void jsonw_begin_array(struct jsonw *w)
{
	if (!enter(w))
		return;
	separate(w);
	buf_add_char(w->out, '[');
}

void jsonw_end_array(struct jsonw *w)
{
	if (leave(w))
		buf_add_char(w->out, ']');
}

/* Length of the well-formed UTF-8 sequence at @s (RFC 3629), 0 when it is none. */
static size_t utf8_len(const unsigned char *s, size_t left)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (len == 0 || len > left || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

/* The escape of an ASCII character that needs one, in @out; NULL when it stands for itself. */
static const char *escape_of(unsigned char c, char out[8])
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
	const char *at = c ? strchr(letters, c) : NULL;

	if (!at && c >= 0x20 && c != 0x7f)
		return NULL;
	if (at) {
		memcpy(out, (char[]){ '\\', names[at - letters], '\0' }, 3);
		return out;
	}
	memcpy(out, (char[]){ '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15], '\0' }, 7);
	return out;
}

static void write_string(struct jsonw *w, const char *s, size_t len)
{
	size_t plain = 0; /* where the run of bytes begins that need no care */

	separate(w);
	buf_add_char(w->out, '"');
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len((const unsigned char *)s + i, len - i);
		char escaped[8];
		const char *instead = n == 0   ? "\\ufffd"
				      : n == 1 ? escape_of((unsigned char)s[i], escaped)
					       : NULL;

		if (instead) {
			buf_add(w->out, s + plain, i - plain);
			buf_add_str(w->out, instead);
			plain = i + 1;
		}
		i += MAX(n, (size_t)1);
	}
	buf_add(w->out, s + plain, len - plain);
	buf_add_char(w->out, '"');
}

void jsonw_strn(struct jsonw *w, const char *s, size_t len)
{
	if (is_wanted(w))
		write_string(w, s, len);
}

void jsonw_null(struct jsonw *w)
{
	jsonw_raw(w, "null", 4);
}

void jsonw_str(struct jsonw *w, const char *s)
{
	if (s)
		jsonw_strn(w, s, strlen(s));
	else
		jsonw_null(w);
}

void jsonw_key(struct jsonw *w, const char *key)
{
	if (w->root) {
		if (w->skipped > 0)
			return;
		w->value = mask_child(w->levels[w->depth - 1], key);
		w->keyed = true;
		if (!w->value)
			return;
	}
	write_string(w, key, strlen(key));
	buf_add_char(w->out, ':');
}

void jsonw_i64(struct jsonw *w, int64_t n)
{
	if (!is_wanted(w))
		return;
	separate(w);
	buf_printf(w->out, "%" PRId64, n);
}

void jsonw_u64(struct jsonw *w, uint64_t n)
{
	if (!is_wanted(w))
		return;
	separate(w);
	buf_printf(w->out, "%" PRIu64, n);
}

void jsonw_bool(struct jsonw *w, bool b)
{
	jsonw_raw(w, b ? "true" : "false", b ? 4 : 5);
}

void jsonw_raw(struct jsonw *w, const char *text, size_t len)
{
	if (!is_wanted(w))
		return;
	separate(w);
	buf_add(w->out, text, len);
}

void jsonw_strmap(struct jsonw *w, const struct strmap *map)
{
	jsonw_begin_object(w);
	if (w->skipped == 0)
		strmap_for_each(entry, map) jsonw_add_str(w, entry->key, entry->value);
	jsonw_end_object(w);
}

void jsonw_strv(struct jsonw *w, const char *const *v)
{
	jsonw_begin_array(w);
	for (size_t i = 0; w->skipped == 0 && v && v[i]; i++)
		jsonw_str(w, v[i]);
	jsonw_end_array(w);
}

static int add_bytes(const char *bytes, size_t len, void *data)
{
	buf_add(data, bytes, len);
	return 0;
}

void jsonw_json(struct jsonw *w, const json_t *value)
{
	if (!value) {
		jsonw_null(w);
		return;
	}
	if (!is_wanted(w))
		return;
	separate(w);
	(void)json_dump_callback(value, add_bytes, w->out, JSON_COMPACT | JSON_ENCODE_ANY);
}

void jsonw_add_null(struct jsonw *w, const char *key)
{
	jsonw_key(w, key);
	jsonw_null(w);
}

void jsonw_add_str(struct jsonw *w, const char *key, const char *s)
{
	jsonw_key(w, key);
	jsonw_str(w, s);
}

void jsonw_add_i64(struct jsonw *w, const char *key, int64_t n)
{
	jsonw_key(w, key);
	jsonw_i64(w, n);
}

void jsonw_add_u64(struct jsonw *w, const char *key, uint64_t n)
{
	jsonw_key(w, key);
	jsonw_u64(w, n);
}

void jsonw_add_bool(struct jsonw *w, const char *key, bool b)
{
	jsonw_key(w, key);
	jsonw_bool(w, b);
}

void jsonw_add_strmap(struct jsonw *w, const char *key, const struct strmap *map)
{
	jsonw_key(w, key);
	jsonw_strmap(w, map);
}

void jsonw_add_strv(struct jsonw *w, const char *key, const char *const *v)
{
	jsonw_key(w, key);
	jsonw_strv(w, v);
}

void jsonw_add_object(struct jsonw *w, const char *key)
{
	jsonw_key(w, key);
	jsonw_begin_object(w);
}

void jsonw_add_array(struct jsonw *w, const char *key)
{
	jsonw_key(w, key);
	jsonw_begin_array(w);
}

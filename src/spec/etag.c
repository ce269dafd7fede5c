/* spec/etag.c - see etag.h */
#include "spec/etag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* Two FNV-1a hashes with different starts; nobody gains by a collision of his own edit. */
static void add_bytes(struct etag *etag, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	if (etag->a == 0 && etag->b == 0) {
		etag->a = 0xcbf29ce484222325ULL;
		etag->b = 0x6c62272e07bb0142ULL;
	}
	for (size_t i = 0; i < len; i++) {
		etag->a = (etag->a ^ p[i]) * 0x100000001b3ULL;
		etag->b = (etag->b ^ (unsigned char)(p[i] + 0x5b)) * 0x100000001b3ULL;
	}
}

static void add_head(struct etag *etag, char kind, uint64_t len)
{
	add_bytes(etag, &kind, 1);
	add_bytes(etag, &len, sizeof(len));
}

void etag_add_str(struct etag *etag, const char *s)
{
	size_t len = s ? strlen(s) : 0;

	add_head(etag, s ? 's' : '0', len);
	add_bytes(etag, s, len);
}

void etag_add_bool(struct etag *etag, bool value)
{
	add_head(etag, 'b', value);
}

void etag_add_i64(struct etag *etag, int64_t value)
{
	add_head(etag, 'i', (uint64_t)value);
}

void etag_add_strv(struct etag *etag, char *const *v)
{
	add_head(etag, 'v', strv_len(v));
	for (; v && *v; v++)
		etag_add_str(etag, *v);
}

void etag_add_map(struct etag *etag, const struct strmap *map)
{
	add_head(etag, 'm', map->len);
	strmap_for_each(entry, map)
	{
		etag_add_str(etag, entry->key);
		etag_add_str(etag, entry->value);
	}
}

void etag_add_devices(struct etag *etag, const struct strmap *devices)
{
	add_head(etag, 'd', devices->len);
	strmap_for_each(entry, devices)
	{
		etag_add_str(etag, entry->key);
		etag_add_map(etag, entry->value);
	}
}

const char *etag_format(const struct etag *etag, char out[ETAG_LEN])
{
	(void)snprintf(out, ETAG_LEN, "\"%016" PRIx64 "%016" PRIx64 "\"", etag->a, etag->b);
	return out;
}

bool etag_allows(const struct etag *etag, const char *header)
{
	char own[ETAG_LEN];

	return str_empty(header) || streq(header, "*") || streq(header, etag_format(etag, own));
}

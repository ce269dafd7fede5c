/*
 * spec/etag.h - entity tags: a hash over the editable part of an object (spec, pure)
 *
 * Each value is hashed with its kind and length, so that neighbours cannot be confused.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/strmap.h"

enum {
	ETAG_LEN = 34 + 1 /* with the quotes */
};

/* All zero is a fresh one. */
struct etag {
	uint64_t a, b;
};

void etag_add_str(struct etag *etag, const char *s); /* NULL differs from "" */
void etag_add_bool(struct etag *etag, bool value);
void etag_add_i64(struct etag *etag, int64_t value);
void etag_add_strv(struct etag *etag, char *const *v);
void etag_add_map(struct etag *etag, const struct strmap *map);
void etag_add_devices(struct etag *etag, const struct strmap *devices);

/* The header's value, quotes included. Returns @out. */
const char *etag_format(const struct etag *etag, char out[ETAG_LEN]);

/* Whether If-Match @header allows a change of what has this tag: NULL, "", "*" or equal. */
bool etag_allows(const struct etag *etag, const char *header);

/*
 * codec/url.h - percent-encoding, paths and query strings (RFC 3986); pure
 *
 * Paths are split on the raw '/' first and decoded afterwards, so that %2F stays inside a segment.
 */
#pragma once

#include <stddef.h>

#include "base/strmap.h"

enum {
	URL_SEGMENTS_MAX = 64,
	URL_PAIRS_MAX = 256
};

/*
 * Decode %XX in @len bytes; '+' stays. Returns: 0 and a new string, -EINVAL for a broken escape,
 * a raw or an encoded NUL.
 */
int url_decode(const char *s, size_t len, char **ret_text);

/* New string: everything but letters, digits and -._~ as %XX. */
char *url_encode(const char *s);

/*
 * The decoded segments of an absolute path: "/1.0/x" is {"1.0", "x"}, "/" is {}, a slash at the
 * end adds an empty one. @path ends at '?' or NUL. Returns: 0, -EINVAL, or -E2BIG.
 */
int url_split_path(const char *path, char ***ret_segments);

/*
 * "k=v&k2=v2", '+' is a blank, a key without '=' has the value "", the last one of a key wins.
 * NULL and "" are empty. *@ret_pairs is all zero before. Returns: 0, -EINVAL, or -E2BIG.
 */
int url_parse_query(const char *query, struct strmap *ret_pairs);

/* All values of @key in order ("profile=a&profile=b"). Returns: as url_parse_query(). */
int url_query_values(const char *query, const char *key, char ***ret_values);

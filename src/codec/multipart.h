/*
 * codec/multipart.h - multipart/form-data as it streams by (codec, pure)
 *
 * Parameter values may be quoted or not and end in a stray ';'. What is before the first boundary
 * and behind the closing one is ignored.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
	MULTIPART_BOUNDARY_MAX = 200, /* RFC 2046 says 70; python and Go stay below */
	MULTIPART_HEADER_MAX = 8 * 1024,
	MULTIPART_PARTS_MAX = 16
};

/* What returns non-zero (-errno) ends the parse with it. */
struct multipart_handler {
	int (*on_part)(void *data, const char *name,
		       const char *filename); /* filename: "" if none */
	int (*on_data)(void *data, const void *bytes, size_t len);
	int (*on_part_end)(void *data);
};

struct multipart;

/*
 * The boundary parameter of a Content-Type.
 * Returns: new string, or NULL when it is not multipart/form-data with a usable boundary.
 */
char *multipart_boundary(const char *content_type);

struct multipart *multipart_new(const char *boundary, const struct multipart_handler *handler,
				void *data);
struct multipart *multipart_free(struct multipart *parser); /* returns NULL */
void multipart_freep(struct multipart **parser);

/* Any pieces. Errors: ERR_INVALID with what is wrong, or what a callback returned. */
int multipart_feed(struct multipart *parser, const void *bytes, size_t len, struct err *err);

/* End of the input. Errors: ERR_INVALID when the closing boundary never came. */
int multipart_end(struct multipart *parser, struct err *err);

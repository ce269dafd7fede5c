/* base/buf.h - growable bytes; always followed by a NUL that is not counted */
#pragma once

#include <stddef.h>

#include "base/macro.h"

struct buf {
	char *data; /* NULL while empty */
	size_t len;
	size_t cap;
};

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_str(struct buf *buf, const char *s);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *fmt, ...) _printf_(2, 3);

/* Make room for @extra more bytes and a NUL behind len. Returns: where they go; the caller writes the
 * NUL as well when it is to be text, and adds to len. */
char *buf_reserve(struct buf *buf, size_t extra);

/* Drop the first @len bytes. */
void buf_consume(struct buf *buf, size_t len);

/* The text, owned by the caller ("" when empty); the buf is empty afterwards. */
char *buf_take_str(struct buf *buf);

/* The text, borrowed ("" when empty). */
const char *buf_str(const struct buf *buf);
void buf_done(struct buf *buf);

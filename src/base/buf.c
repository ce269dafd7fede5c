/* base/buf.c - see buf.h */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

char *buf_reserve(struct buf *buf, size_t extra)
{
	size_t need = buf->len + extra + 1;

	if (need > buf->cap) {
		buf->cap = MAX(need, buf->cap + buf->cap / 2 + 64);
		buf->data = xrealloc(buf->data, buf->cap);
	}
	return buf->data + buf->len;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	char *end = buf_reserve(buf, len);

	if (len > 0)
		memcpy(end, bytes, len);
	end[len] = '\0';
	buf->len += len;
}

void buf_add_str(struct buf *buf, const char *s)
{
	buf_add(buf, s, strlen(s));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	va_start(ap, fmt);
	(void)vsnprintf(buf_reserve(buf, (size_t)n), (size_t)n + 1, fmt, ap);
	va_end(ap);
	buf->len += (size_t)n;
}

void buf_consume(struct buf *buf, size_t len)
{
	buf->len -= len;
	if (buf->data)
		memmove(buf->data, buf->data + len, buf->len + 1);
}

char *buf_take_str(struct buf *buf)
{
	char *text = buf->data ? buf->data : xstrdup("");

	*buf = (struct buf){ 0 };
	return text;
}

const char *buf_str(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

void buf_done(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ 0 };
}

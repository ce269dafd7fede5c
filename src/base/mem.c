/* base/mem.c - see mem.h */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *ptr)
{
	if (!ptr)
		abort();
	return ptr;
}

void *xmalloc(size_t size)
{
	return must(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return must(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *ptr, size_t size)
{
	return must(realloc(ptr, size ? size : 1));
}

void *xmemdup(const void *src, size_t len)
{
	void *copy = xmalloc(len);

	if (len > 0)
		memcpy(copy, src, len);
	return copy;
}

char *xstrdup(const char *s)
{
	return s ? must(strdup(s)) : NULL;
}

char *xstrndup(const char *s, size_t max_len)
{
	return must(strndup(s, max_len));
}

char *xasprintf(const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	return text;
}

void replace_str(char **dst, const char *src)
{
	char *copy = xstrdup(src);

	free(*dst);
	*dst = copy;
}

void freep(void *ptr_to_ptr)
{
	void **p = ptr_to_ptr;

	free(*p);
	*p = NULL;
}

/*
 * base/mem.h - allocation that cannot fail, for programs that are restartable by design (style M4)
 *
 * Every x-function aborts on out-of-memory. sysctr-monitor uses them only before init runs.
 */
#pragma once

#include <stddef.h>

#include "base/macro.h"

void *xmalloc(size_t size) __attribute__((malloc));
void *xcalloc(size_t count, size_t size) __attribute__((malloc));
void *xrealloc(void *ptr, size_t size);
void *xmemdup(const void *src, size_t len);

/* Copy of @s, NULL for NULL. */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t max_len);
char *xasprintf(const char *fmt, ...) _printf_(1, 2);

/* Replace *@dst (freed) by a copy of @src, NULL for NULL. */
void replace_str(char **dst, const char *src);

/* For _cleanup_(freep) on any pointer. */
void freep(void *ptr_to_ptr);

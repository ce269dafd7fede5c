/* base/err.c - see err.h */
#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int http_status;
	int code;
} kinds[] = {
	[ERR_INTERNAL] = { 500, -EIO },		  [ERR_INVALID] = { 400, -EINVAL },
	[ERR_FORBIDDEN] = { 403, -EACCES },	  [ERR_NOT_FOUND] = { 404, -ENOENT },
	[ERR_CONFLICT] = { 409, -EEXIST },	  [ERR_PRECONDITION] = { 412, -ESTALE },
	[ERR_UNSUPPORTED] = { 501, -EOPNOTSUPP }, [ERR_UNAVAILABLE] = { 503, -EBUSY },
	[ERR_CANCELLED] = { 400, -ECANCELED },
};
static_assert(ARRAY_LEN(kinds) == ERR_KIND_MAX, "one row per kind");

/* vsnprintf at @used; returns the new length, at most the array's size - 1. */
static size_t msg_append(struct err *err, size_t used, const char *fmt, va_list ap)
{
	int n = vsnprintf(err->msg + used, sizeof(err->msg) - used, fmt, ap);

	return n < 0 ? used : MIN(used + (size_t)n, sizeof(err->msg) - 1);
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
	char words[128];
	size_t used;
	va_list ap;

	assert(code < 0);
	if (!err)
		return code;
	err->code = code;
	err->kind = ERR_INTERNAL;
	va_start(ap, fmt);
	used = msg_append(err, 0, fmt, ap);
	va_end(ap);
	(void)snprintf(err->msg + used, sizeof(err->msg) - used, ": %s",
		       strerror_r(-code, words, sizeof(words)));
	return code;
}

int err_kind(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return kinds[kind].code;
	err->code = kinds[kind].code;
	err->kind = kind;
	va_start(ap, fmt);
	(void)msg_append(err, 0, fmt, ap);
	va_end(ap);
	return err->code;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char old[sizeof(err->msg)];
	size_t used;
	va_list ap;

	if (!err)
		return -EIO;
	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	used = msg_append(err, 0, fmt, ap);
	va_end(ap);
	(void)snprintf(err->msg + used, sizeof(err->msg) - used, ": %s", old);
	if (err->code == 0)
		err->code = -EIO;
	return err->code;
}

int err_http_status(enum err_kind kind)
{
	return kinds[kind].http_status;
}

const char *err_text(const struct err *err, int code)
{
	return err && err->msg[0] ? err->msg : strerror(code < 0 ? -code : code);
}

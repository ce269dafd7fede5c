/*
 * base/err.h - one error, in the caller's frame, fit to be shown to a user
 *
 * A function that can fail returns 0 or -errno (> 0: an outcome named in its docstring). One whose
 * failure a user will read also takes "struct err *err" as its last parameter; NULL is allowed.
 * Nothing here allocates: an err can be filled after clone(), sent over a socket, dropped.
 */
#pragma once

#include "base/macro.h"

enum err_kind {
	ERR_INTERNAL,	  /* 500: ours; what an err is unless somebody knew better */
	ERR_INVALID,	  /* 400: the request can never succeed */
	ERR_FORBIDDEN,	  /* 403 */
	ERR_NOT_FOUND,	  /* 404: the named object does not exist; never derived from -ENOENT */
	ERR_CONFLICT,	  /* 409: exists already, or is in the wrong state */
	ERR_PRECONDITION, /* 412: ETag mismatch */
	ERR_UNSUPPORTED,  /* 501: known, but not offered by this daemon or host */
	ERR_UNAVAILABLE,  /* 503: starting, shutting down, or at a limit: try again */
	ERR_CANCELLED,	  /* the user asked for it: an operation ends as Cancelled, not Failure */
	ERR_KIND_MAX
};

struct err {
	int code; /* -errno of the cause, 0 while unset */
	enum err_kind kind;
	char msg[512]; /* "start \"c1\": mount /proc: Permission denied" */
};

/* Set *err to fmt plus ": strerror(code)". Returns code, so callers write: return err_set(...). */
int err_set(struct err *err, int code, const char *fmt, ...) _printf_(3, 4);

/*
 * Set *err to fmt alone, with the meaning a client acts on.
 *
 * Returns: the negative errno that goes with @kind (ERR_NOT_FOUND: -ENOENT, ERR_CONFLICT: -EEXIST,
 * ERR_INVALID: -EINVAL, ...).
 */
int err_kind(struct err *err, enum err_kind kind, const char *fmt, ...) _printf_(3, 4);

/* Put fmt and ": " in front of the message. Returns err->code, or -EIO when err is unset. */
int err_wrap(struct err *err, const char *fmt, ...) _printf_(2, 3);

/* HTTP status of @kind, 400 to 503. */
int err_http_status(enum err_kind kind);

/* The message, or the words for @code when the err was never set (NULL allowed). */
const char *err_text(const struct err *err, int code);

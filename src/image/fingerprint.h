/*
 * image/fingerprint.h - SHA-256 of an image's bytes as they pass by (image, any helper; pure)
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

enum {
	FINGERPRINT_LEN = 64 + 1
};

struct fingerprint;

/* Errors: NULL when the crypto library does not start. */
struct fingerprint *fingerprint_new(void);
struct fingerprint *fingerprint_free(struct fingerprint *fp); /* returns NULL */
void fingerprint_freep(struct fingerprint **fp);

/* Errors: -EIO, of the crypto library. */
int fingerprint_add(struct fingerprint *fp, const void *bytes, size_t len);

/* Lower-case hex of everything added; begins anew. Returns @out. */
const char *fingerprint_take(struct fingerprint *fp, char out[FINGERPRINT_LEN]);

/* Errors: ERR_INVALID with both in the text. @expected NULL: any. */
int fingerprint_check(const char *expected, const char *actual, struct err *err);

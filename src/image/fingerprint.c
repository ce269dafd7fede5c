/* image/fingerprint.c - see fingerprint.h */
#include "image/fingerprint.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"

enum {
	DIGEST_LEN = 32
};

struct fingerprint {
	gnutls_hash_hd_t hash;
};

struct fingerprint *fingerprint_new(void)
{
	struct fingerprint *fp = xcalloc(1, sizeof(*fp));

	if (gnutls_hash_init(&fp->hash, GNUTLS_DIG_SHA256) == 0)
		return fp;
	free(fp);
	return NULL;
}

struct fingerprint *fingerprint_free(struct fingerprint *fp)
{
	if (!fp)
		return NULL;
	gnutls_hash_deinit(fp->hash, NULL);
	free(fp);
	return NULL;
}

void fingerprint_freep(struct fingerprint **fp)
{
	*fp = fingerprint_free(*fp);
}

int fingerprint_add(struct fingerprint *fp, const void *bytes, size_t len)
{
	return gnutls_hash(fp->hash, bytes, len) < 0 ? -EIO : 0;
}

const char *fingerprint_take(struct fingerprint *fp, char out[FINGERPRINT_LEN])
{
	unsigned char digest[DIGEST_LEN];

	gnutls_hash_output(fp->hash, digest);
	return hex_encode(digest, sizeof(digest), out);
}

int fingerprint_check(const char *expected, const char *actual, struct err *err)
{
	if (!expected || streq(expected, actual))
		return 0;
	return err_kind(err, ERR_INVALID, "the image's fingerprint is %s, %s was expected", actual,
			expected);
}

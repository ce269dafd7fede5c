/* fetch/checksum.c - see checksum.h */
#include "fetch/checksum.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"

enum {
	BLOCK_BYTES = 256 * 1024,
	DIGEST_MAX = 64
};

struct kind {
	const char *prefix;
	gnutls_digest_algorithm_t algorithm;
	size_t bytes;
};

static const struct kind kinds[] = {
	{ "sha256:", GNUTLS_DIG_SHA256, 32 },
	{ "sha512:", GNUTLS_DIG_SHA512, 64 },
};

static const struct kind *kind_of(const char *checksum)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_after(checksum, kinds[i].prefix))
			return &kinds[i];
	return NULL;
}

int checksum_validate(const char *checksum, struct err *err)
{
	const struct kind *kind = kind_of(checksum);
	const char *digits = kind ? str_after(checksum, kind->prefix) : NULL;

	if (!kind || strlen(digits) != kind->bytes * 2 ||
	    !str_only(digits, "0123456789abcdefABCDEF"))
		return err_kind(err, ERR_INVALID,
				"checksum \"%s\": must be sha256:<64 hex digits> or "
				"sha512:<128 hex digits>",
				checksum);
	return 0;
}

static int hash_all(int fd, gnutls_hash_hd_t hash)
{
	_cleanup_(freep) char *block = xmalloc(BLOCK_BYTES);
	off_t at = 0;

	for (;;) {
		ssize_t n = pread(fd, block, BLOCK_BYTES, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		if (gnutls_hash(hash, block, (size_t)n) < 0)
			return -EIO;
		at += n;
	}
}

int checksum_verify(int fd, const char *checksum, char **ret_found)
{
	const struct kind *kind = kind_of(checksum);
	unsigned char digest[DIGEST_MAX];
	char hex[2 * DIGEST_MAX + 1];
	gnutls_hash_hd_t hash;
	int r;

	if (!kind)
		return -EINVAL;
	if (gnutls_hash_init(&hash, kind->algorithm) < 0)
		return -EIO;
	r = hash_all(fd, hash);
	gnutls_hash_deinit(hash, digest);
	if (r < 0)
		return r;
	*ret_found = NULL;
	if (strcasecmp(hex_encode(digest, kind->bytes, hex), str_after(checksum, kind->prefix)) ==
	    0)
		return 1;
	*ret_found = xasprintf("%s%s", kind->prefix, hex);
	return 0;
}

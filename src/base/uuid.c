/* base/uuid.c - see uuid.h */
#include "base/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void random_bytes(void *out, size_t len)
{
	char *p = out;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			abort(); /* no randomness: nothing we hand out could be trusted */
		p += n;
		len -= (size_t)n;
	}
}

const char *hex_encode(const void *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * len] = '\0';
	return out;
}

const char *uuid_new(char out[UUID_LEN])
{
	uint8_t b[16];
	char hex[2 * sizeof(b) + 1];

	random_bytes(b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	(void)hex_encode(b, sizeof(b), hex);
	(void)snprintf(out, UUID_LEN, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		       hex + 20);
	return out;
}

bool uuid_is_valid(const char *text)
{
	static const size_t hyphens[] = { 8, 13, 18, 23 };

	if (!text || strlen(text) != UUID_LEN - 1 ||
	    strspn(text, "0123456789abcdef-") != UUID_LEN - 1)
		return false;
	for (size_t i = 0, n = 0; text[i]; i++) {
		bool hyphen = n < sizeof(hyphens) / sizeof(hyphens[0]) && i == hyphens[n];

		if (hyphen != (text[i] == '-'))
			return false;
		n += hyphen;
	}
	return true;
}

const char *uuid_new_secret(char out[SECRET_LEN])
{
	uint8_t b[32];

	random_bytes(b, sizeof(b));
	return hex_encode(b, sizeof(b), out);
}

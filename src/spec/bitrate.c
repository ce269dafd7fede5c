/* spec/bitrate.c - see bitrate.h */
#include "spec/bitrate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "base/str.h"

enum {
	BITS_MIN = 800, /* 100 bytes a second: below that nothing would ever pass */
	NUMBER_LEN = 20 + 1
};
#define BITS_MAX 1000000000000ULL /* a terabit */

int bitrate_parse(const char *text, uint64_t *ret_bytes_per_s)
{
	static const struct {
		const char *suffix;
		uint64_t factor;
	} units[] = { { "", 1 },
		      { "bit", 1 },
		      { "kbit", 1000 },
		      { "Mbit", 1000000 },
		      { "Gbit", 1000000000 },
		      { "Kibit", 1ULL << 10 },
		      { "Mibit", 1ULL << 20 },
		      { "Gibit", 1ULL << 30 } };
	size_t len = strspn(text, "0123456789");
	char number[NUMBER_LEN];
	uint64_t value;

	if (len == 0 || len >= sizeof(number))
		return -EINVAL;
	(void)snprintf(number, sizeof(number), "%.*s", (int)len, text);
	if (parse_u64(number, BITS_MAX, &value) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (!streq(text + len, units[i].suffix))
			continue;
		if (value > BITS_MAX / units[i].factor || value * units[i].factor < BITS_MIN)
			return -EINVAL;
		*ret_bytes_per_s = value * units[i].factor / 8;
		return 0;
	}
	return -EINVAL;
}

int bitrate_check(const char *key, const char *value, struct err *err)
{
	uint64_t bytes;

	(void)key; /* in the caller's words */
	if (bitrate_parse(value, &bytes) == 0)
		return 0;
	return err_kind(err, ERR_INVALID,
			"must be bits in a second like 10Mbit, from 800bit to 1000Gbit");
}

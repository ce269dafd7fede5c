/* base/parse.c - see parse.h */
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"

/* Digits of @base from *@s on; moves *@s behind them. */
static int digits(const char **s, unsigned int base, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;
	const char *p = *s;

	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++) {
		unsigned int digit = (unsigned int)(*p - '0');

		if (digit >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value) || value > max)
			return -ERANGE;
	}
	*s = p;
	*ret_value = value;
	return 0;
}

static int whole(const char *s, unsigned int base, uint64_t max, uint64_t *ret_value)
{
	uint64_t value;
	int r = digits(&s, base, max, &value);

	if (r < 0)
		return r;
	if (*s)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

int parse_u64(const char *s, uint64_t max, uint64_t *ret_value)
{
	return whole(s, 10, max, ret_value);
}

int parse_u32(const char *s, uint32_t *ret_value)
{
	uint64_t value;
	int r = whole(s, 10, UINT32_MAX, &value);

	if (r == 0)
		*ret_value = (uint32_t)value;
	return r;
}

int parse_i64(const char *s, int64_t *ret_value)
{
	uint64_t value;
	bool negative = *s == '-';
	int r = whole(s + negative, 10, INT64_MAX, &value);

	if (r == 0)
		*ret_value = negative ? -(int64_t)value : (int64_t)value;
	return r;
}

int parse_octal(const char *s, uint32_t max, uint32_t *ret_value)
{
	uint64_t value;
	int r = whole(s, 8, max, &value);

	if (r == 0)
		*ret_value = (uint32_t)value;
	return r;
}

int parse_bool(const char *s, bool *ret_value)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "true", true },	  { "1", true },  { "yes", true }, { "on", true },
		      { "false", false }, { "0", false }, { "no", false }, { "off", false } };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcasecmp(s, words[i].word) == 0) {
			*ret_value = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

int parse_bytes(const char *s, uint64_t *ret_bytes)
{
	static const struct {
		const char *suffix;
		uint64_t factor;
	} units[] = {
		{ "", 1 },
		{ "B", 1 },
		{ "bytes", 1 },
		{ "kB", 1000 },
		{ "MB", 1000000 },
		{ "GB", 1000000000 },
		{ "TB", 1000000000000 },
		{ "PB", 1000000000000000 },
		{ "EB", 1000000000000000000 },
		{ "KiB", 1ULL << 10 },
		{ "MiB", 1ULL << 20 },
		{ "GiB", 1ULL << 30 },
		{ "TiB", 1ULL << 40 },
		{ "PiB", 1ULL << 50 },
		{ "EiB", 1ULL << 60 },
	};
	uint64_t value;
	int r = digits(&s, 10, UINT64_MAX, &value);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (strcmp(s, units[i].suffix) != 0)
			continue;
		return __builtin_mul_overflow(value, units[i].factor, ret_bytes) ? -ERANGE : 0;
	}
	return -EINVAL;
}

/* base/time.c - see time.h */
#include "base/time.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts); /* cannot fail for these clocks */
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

uint64_t time_mono_ns(void)
{
	return (uint64_t)read_clock(CLOCK_MONOTONIC);
}

int64_t time_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

/* Whether @s begins as @shape does, with a digit for each '0' of it. */
static bool has_shape(const char *s, const char *shape)
{
	for (; *shape; s++, shape++)
		if (*shape == '0' ? !isdigit((unsigned char)*s) : *s != *shape)
			return false;
	return true;
}

/* Two digits. */
static int pair(const char *s)
{
	return (s[0] - '0') * 10 + (s[1] - '0');
}

/* ".123" -> 123000000; moves *@s behind the digits. */
static int64_t parse_fraction(const char **s)
{
	int64_t ns = 0, unit = NS_PER_S / 10;

	if (!has_shape(*s, ".0"))
		return 0;
	for ((*s)++; isdigit((unsigned char)**s); (*s)++, unit /= 10)
		ns += (**s - '0') * unit;
	return ns;
}

/* "Z", "+hh:mm". Returns: 0 or -EINVAL. */
static int parse_zone(const char *s, int64_t *ret_seconds)
{
	if (strcmp(s, "Z") == 0) {
		*ret_seconds = 0;
		return 0;
	}
	if (!(has_shape(s, "+00:00") || has_shape(s, "-00:00")) || s[6] || pair(s + 1) > 23 ||
	    pair(s + 4) > 59)
		return -EINVAL;
	*ret_seconds = (s[0] == '-' ? -1 : 1) * (pair(s + 1) * 3600 + pair(s + 4) * 60);
	return 0;
}

static bool is_date(const struct tm *tm)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = tm->tm_year + 1900;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 &&
	       tm->tm_mday <= days[tm->tm_mon] + (leap && tm->tm_mon == 1);
}

int time_parse_rfc3339(const char *s, int64_t *ret_wall_ns)
{
	int64_t ns, zone_s, wall_ns;
	struct tm tm = { 0 };
	int64_t seconds;

	if (!has_shape(s, "0000-00-00T00:00:00"))
		return -EINVAL;
	tm.tm_year = pair(s) * 100 + pair(s + 2) - 1900;
	tm.tm_mon = pair(s + 5) - 1;
	tm.tm_mday = pair(s + 8);
	tm.tm_hour = pair(s + 11);
	tm.tm_min = pair(s + 14);
	tm.tm_sec = pair(s + 17);
	if (!is_date(&tm) || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return -EINVAL;
	s += strlen("0000-00-00T00:00:00");
	ns = parse_fraction(&s);
	if (parse_zone(s, &zone_s) < 0)
		return -EINVAL;
	seconds = (int64_t)timegm(&tm) - zone_s;
	if (__builtin_mul_overflow(seconds, NS_PER_S, &wall_ns) ||
	    __builtin_add_overflow(wall_ns, ns, &wall_ns))
		wall_ns = seconds < 0 ? INT64_MIN : INT64_MAX;
	*ret_wall_ns = wall_ns;
	return 0;
}

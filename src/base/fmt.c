/* base/fmt.c - see fmt.h */
#include "base/fmt.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/macro.h"
#include "base/time.h"

const char *fmt_bytes(char out[FMT_BYTES_LEN], uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		(void)snprintf(out, FMT_BYTES_LEN, "%" PRIu64 "B", bytes);
		return out;
	}
	for (; value >= 1024 && unit + 1 < ARRAY_LEN(units); unit++)
		value /= 1024;
	(void)snprintf(out, FMT_BYTES_LEN, "%.2f%s", value, units[unit]);
	return out;
}

const char *fmt_time(char out[FMT_TIME_LEN], int64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	long ns = (long)(wall_ns % NS_PER_S);
	struct tm tm;

	if (ns < 0) {
		seconds--;
		ns += NS_PER_S;
	}
	if (!gmtime_r(&seconds, &tm) || tm.tm_year > 8099) {
		(void)snprintf(out, FMT_TIME_LEN, "0001-01-01T00:00:00Z");
		return out;
	}
	(void)snprintf(out, FMT_TIME_LEN, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", tm.tm_year + 1900,
		       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, ns);
	return out;
}

const char *fmt_duration(char out[FMT_DURATION_LEN], uint64_t duration_ns)
{
	uint64_t s = duration_ns / NS_PER_S;

	if (s == 0)
		(void)snprintf(out, FMT_DURATION_LEN, "%" PRIu64 "ms", duration_ns / NS_PER_MS);
	else if (s < 60)
		(void)snprintf(out, FMT_DURATION_LEN, "%.1fs", (double)duration_ns / NS_PER_S);
	else if (s < 3600)
		(void)snprintf(out, FMT_DURATION_LEN, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else
		(void)snprintf(out, FMT_DURATION_LEN, "%" PRIu64 "h%02" PRIu64 "m", s / 3600,
			       s / 60 % 60);
	return out;
}

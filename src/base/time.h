/* base/time.h - clocks; in core use aio_now() instead, so that tests can turn the clock (style A7) */
#pragma once

#include <stdint.h>

enum {
	NS_PER_MS = 1000000,
	NS_PER_S = 1000000000,
	MS_PER_S = 1000
};

uint64_t time_mono_ns(void);
int64_t time_wall_ns(void); /* since 1970 */

/*
 * RFC 3339 ("2026-01-02T03:04:05[.n]Z" or +hh:mm), strictly. Times before 1677 and after 2262 become
 * INT64_MIN and INT64_MAX. Returns: 0 or -EINVAL.
 */
int time_parse_rfc3339(const char *s, int64_t *ret_wall_ns);

/* base/fmt.h - numbers to text for people and for the API; each fills a fixed array and returns it */
#pragma once

#include <stdint.h>

enum {
	FMT_BYTES_LEN = 32,
	FMT_TIME_LEN = 96,
	FMT_DURATION_LEN = 32
};

/* "512B", "1.50GiB": two decimals from KiB on, binary units. */
const char *fmt_bytes(char out[FMT_BYTES_LEN], uint64_t bytes);

/* RFC 3339 in UTC with nanoseconds: "2026-01-02T03:04:05.000000006Z". Wall-clock ns since 1970. */
const char *fmt_time(char out[FMT_TIME_LEN], int64_t wall_ns);

/* "850ms", "3.2s", "4m12s", "3h05m". */
const char *fmt_duration(char out[FMT_DURATION_LEN], uint64_t duration_ns);

/*
 * base/parse.h - text to numbers, strictly: the whole string, no sign unless signed, no blanks
 *
 * All return 0, -EINVAL (not a number of that form) or -ERANGE (outside the type or @max).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

int parse_u64(const char *s, uint64_t max, uint64_t *ret_value);
int parse_u32(const char *s, uint32_t *ret_value);
int parse_i64(const char *s, int64_t *ret_value);
int parse_octal(const char *s, uint32_t max, uint32_t *ret_value);

/* true/1/yes/on, false/0/no/off, any case. */
int parse_bool(const char *s, bool *ret_value);

/* "512", "512kB", "1MiB", "2GB" (LXD's suffixes: kB MB GB TB PB EB decimal, KiB.. binary). */
int parse_bytes(const char *s, uint64_t *ret_bytes);

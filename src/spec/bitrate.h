/* spec/bitrate.h - "10Mbit": bits in a second (spec, pure) */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* "800", "100kbit", "1Gibit". Returns: 0 or -EINVAL (also for what is too little or too much). */
int bitrate_parse(const char *text, uint64_t *ret_bytes_per_s);

/* For tables of keys. */
int bitrate_check(const char *key, const char *value, struct err *err);

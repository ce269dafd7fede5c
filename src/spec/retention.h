/*
 * spec/retention.h - snapshots.keep: how many snapshots of a schedule stay, by class; pure
 *
 * "last=3 hourly=24 daily=7 weekly=4 monthly=12 yearly=2": the newest three; then the newest one of
 * each of the last 24 hours, 7 days ... that have one. What no class keeps goes. Local time (TZ).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum retention_class {
	RETENTION_LAST,
	RETENTION_HOURLY,
	RETENTION_DAILY,
	RETENTION_WEEKLY, /* weeks begin on Monday */
	RETENTION_MONTHLY,
	RETENTION_YEARLY,
	RETENTION_CLASS_MAX
};

struct retention {
	uint32_t keep[RETENTION_CLASS_MAX];
};

/* Errors: ERR_INVALID with what would be right; also when nothing at all would be kept. */
int retention_parse(const char *text, struct retention *ret_retention, struct err *err);

/* @times_s: newest first. Sets ret_keep[i] for what stays. */
void retention_choose(const struct retention *retention, const int64_t *times_s, size_t n,
		      bool *ret_keep);

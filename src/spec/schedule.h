/*
 * spec/schedule.h - snapshots.schedule: when, in the local time of the process (TZ); pure
 *
 * "M H D M W" of cron(8) with lists, ranges, steps and names; or @hourly, @daily, @midnight,
 * @weekly, @monthly, @yearly, @annually, @startup, @never; several separated by commas.
 *
 *   H1  A time that the clock skips in spring is due when the gap is over; one that comes twice in
 *       autumn is due once. What is due in every hour goes by hours that pass.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	SCHEDULE_RULES_MAX = 8
};

struct schedule_rule {
	uint64_t minutes; /* bit per minute, hour, day (1..31), month (1..12), weekday (0..6) */
	uint32_t hours, days, months, weekdays;
	bool any_day, any_weekday; /* "*": if neither is, one of both suffices */
};

struct schedule {
	struct schedule_rule rules[SCHEDULE_RULES_MAX];
	size_t n;
	bool startup; /* whenever the instance has started */
	bool never;   /* whatever else is said */
};

/* "" is never. Errors: ERR_INVALID with what would be right. */
int schedule_parse(const char *text, struct schedule *ret_schedule, struct err *err);

/*
 * The first whole minute after @after_wall_s that is due. Returns: seconds since 1970; 0 for none
 * within nine years.
 */
int64_t schedule_next(const struct schedule *schedule, int64_t after_wall_s);

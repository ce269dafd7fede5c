/* spec/retention.c - see retention.h */
#include "spec/retention.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

enum {
	KEEP_MAX = 10000,
	HOUR_S = 3600
};

static const char *const class_names[] = {
	[RETENTION_LAST] = "last",	 [RETENTION_HOURLY] = "hourly",
	[RETENTION_DAILY] = "daily",	 [RETENTION_WEEKLY] = "weekly",
	[RETENTION_MONTHLY] = "monthly", [RETENTION_YEARLY] = "yearly",
};
static_assert(ARRAY_LEN(class_names) == RETENTION_CLASS_MAX, "one name per class");

static int parse_word(const char *word, struct retention *retention, struct err *err)
{
	for (size_t i = 0; i < RETENTION_CLASS_MAX; i++) {
		const char *number = str_after(word, class_names[i]);
		uint64_t value;

		if (!number || *number != '=')
			continue;
		if (parse_u64(number + 1, KEEP_MAX, &value) < 0)
			return err_kind(err, ERR_INVALID, "%s must be a number up to %d",
					class_names[i], KEEP_MAX);
		retention->keep[i] = (uint32_t)value;
		return 0;
	}
	return err_kind(err, ERR_INVALID,
			"must be words like last=3 hourly=24 daily=7 weekly=4 monthly=12 yearly=2");
}

int retention_parse(const char *text, struct retention *ret_retention, struct err *err)
{
	_cleanup_(strv_freep) char **words = strv_split(text, " ,");
	struct retention retention = { 0 };
	uint64_t sum = 0;

	for (char **word = words; word && *word; word++) {
		int r = parse_word(*word, &retention, err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < RETENTION_CLASS_MAX; i++)
		sum += retention.keep[i];
	if (sum == 0)
		return err_kind(err, ERR_INVALID, "must keep something: last=1 at least");
	*ret_retention = retention;
	return 0;
}

/* A number that is the same for all times of one hour, day ... of the class. */
static int64_t bucket_of(enum retention_class class, int64_t time_s)
{
	time_t time = (time_t)time_s;
	struct tm local;

	(void)localtime_r(&time, &local);
	switch (class) {
	case RETENTION_HOURLY: /* by hours that pass: none comes twice in autumn */
		return (time_s + local.tm_gmtoff) / HOUR_S * 64 + local.tm_gmtoff / HOUR_S;
	case RETENTION_DAILY:
		return local.tm_year * 400 + local.tm_yday;
	case RETENTION_WEEKLY: {
		struct tm monday = { .tm_year = local.tm_year,
				     .tm_mon = local.tm_mon,
				     .tm_mday = local.tm_mday - (local.tm_wday + 6) % 7 };

		return timegm(&monday);
	}
	case RETENTION_MONTHLY:
		return local.tm_year * 12 + local.tm_mon;
	case RETENTION_YEARLY:
		return local.tm_year;
	case RETENTION_LAST:
	case RETENTION_CLASS_MAX:
		break;
	}
	return time_s;
}

static void choose_class(enum retention_class class, uint32_t keep, const int64_t *times_s,
			 size_t n, bool *ret_keep)
{
	int64_t last = 0;
	uint32_t used = 0;

	for (size_t i = 0; i < n && used < keep; i++) {
		int64_t bucket = bucket_of(class, times_s[i]);

		if (class != RETENTION_LAST && used > 0 && bucket == last)
			continue;
		last = bucket;
		used++;
		ret_keep[i] = true;
	}
}

void retention_choose(const struct retention *retention, const int64_t *times_s, size_t n,
		      bool *ret_keep)
{
	memset(ret_keep, 0, n * sizeof(*ret_keep));
	for (size_t i = 0; i < RETENTION_CLASS_MAX; i++)
		choose_class((enum retention_class)i, retention->keep[i], times_s, n, ret_keep);
}

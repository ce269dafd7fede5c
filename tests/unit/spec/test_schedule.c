/* tests of spec/schedule.h and spec/retention.h on chosen zones, days and clocks */
#include "spec/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "spec/retention.h"

#define BERLIN	 "CET-1CEST,M3.5.0,M10.5.0/3"
/* The clock goes from 0:00 to 1:00, on the first Sunday of October. */
#define MIDNIGHT "<-04>4<-03>,M10.1.0/0,M3.4.0/0"

static int64_t seconds(const char *text)
{
	int64_t ns;

	assert_int_equal(time_parse_rfc3339(text, &ns), 0);
	return ns / NS_PER_S;
}

/* The runs after @from in zone @tz, one after the other, as UTC. */
static void assert_runs(const char *tz, const char *schedule, const char *from,
			const char *const *expected)
{
	struct schedule parsed;
	int64_t at = seconds(from);

	assert_int_equal(setenv("TZ", tz, 1), 0);
	tzset();
	assert_int_equal(schedule_parse(schedule, &parsed, NULL), 0);
	for (size_t i = 0; expected[i]; i++) {
		char text[32];
		struct tm tm;
		time_t t;

		at = schedule_next(&parsed, at);
		t = (time_t)at;
		(void)gmtime_r(&t, &tm);
		assert_true(strftime(text, sizeof(text), "%Y-%m-%dT%H:%MZ", &tm) > 0);
		assert_string_equal(text, expected[i]);
	}
}

#define RUNS(tz, schedule, from, ...) \
	assert_runs(tz, schedule, from, (const char *const[]){ __VA_ARGS__, NULL })

static void test_plain(void **state)
{
	(void)state;
	RUNS("UTC", "* * * * *", "2026-11-25T10:00:59Z", "2026-11-25T10:01Z", "2026-11-25T10:02Z");
	RUNS("UTC", "@hourly", "2026-11-25T10:00:00Z", "2026-11-25T11:00Z", "2026-11-25T12:00Z");
	RUNS("UTC", "*/20 8-9 * * *", "2026-11-25T09:30:00Z", "2026-11-25T09:40Z",
	     "2026-11-26T08:00Z");
	RUNS("UTC", "5,35 1 * * *", "2026-11-25T01:06:00Z", "2026-11-25T01:35Z",
	     "2026-11-26T01:05Z");
	RUNS("UTC", "0 6 * * mon-fri", "2026-11-27T07:00:00Z", "2026-11-30T06:00Z",
	     "2026-12-01T06:00Z");
	RUNS("UTC", "0 0 * * 7", "2026-11-25T00:00:00Z", "2026-11-29T00:00Z");
	RUNS("UTC", "@weekly", "2026-11-25T00:00:00Z", "2026-11-29T00:00Z", "2026-12-06T00:00Z");
	RUNS("UTC", "@monthly", "2026-11-25T00:00:00Z", "2026-12-01T00:00Z", "2027-01-01T00:00Z");
	RUNS("UTC", "@yearly", "2026-11-25T00:00:00Z", "2027-01-01T00:00Z", "2028-01-01T00:00Z");
	RUNS("UTC", "0 0 1 Feb,aug *", "2026-11-25T00:00:00Z", "2027-02-01T00:00Z",
	     "2027-08-01T00:00Z");
	/* either of both when both are given */
	RUNS("UTC", "0 0 13 * fri", "2026-11-25T00:00:00Z", "2026-11-27T00:00Z",
	     "2026-12-04T00:00Z", "2026-12-11T00:00Z", "2026-12-13T00:00Z");
	RUNS("UTC", "@daily, @hourly", "2026-11-25T22:30:00Z", "2026-11-25T23:00Z",
	     "2026-11-26T00:00Z");
	RUNS("UTC", "0 3 * * *, 30 15 1,2 * *,@yearly", "2026-11-30T04:00:00Z", "2026-12-01T03:00Z",
	     "2026-12-01T15:30Z", "2026-12-02T03:00Z");
}

static void test_leap_years(void **state)
{
	(void)state;
	RUNS("UTC", "0 0 29 2 *", "2026-11-25T00:00:00Z", "2028-02-29T00:00Z", "2032-02-29T00:00Z");
	RUNS("UTC", "0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00Z");
	RUNS("UTC", "59 23 31 12 *", "2027-12-31T23:58:00Z", "2027-12-31T23:59Z",
	     "2028-12-31T23:59Z");
	RUNS("UTC", "0 0 31 * *", "2026-11-25T00:00:00Z", "2026-12-31T00:00Z", "2027-01-31T00:00Z",
	     "2027-03-31T00:00Z");
}

/* 29 March 2026: 2:00 CET is 3:00 CEST; 25 October: 3:00 CEST is 2:00 CET. */
static void test_daylight_saving(void **state)
{
	(void)state;
	RUNS(BERLIN, "30 2 * * *", "2026-03-28T00:00:00Z", "2026-03-28T01:30Z", "2026-03-29T01:00Z",
	     "2026-03-30T00:30Z");
	RUNS(BERLIN, "30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30Z",
	     "2026-10-26T01:30Z");
	/* also when asked in between the two */
	RUNS(BERLIN, "30 2 * * *", "2026-10-25T01:10:00Z", "2026-10-26T01:30Z");
	RUNS(BERLIN, "@hourly", "2026-10-24T23:30:00Z", "2026-10-25T00:00Z", "2026-10-25T01:00Z",
	     "2026-10-25T02:00Z");
	RUNS(BERLIN, "@hourly", "2026-03-29T00:30:00Z", "2026-03-29T01:00Z", "2026-03-29T02:00Z");
	RUNS(BERLIN, "@daily", "2026-03-28T22:30:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z",
	     "2026-03-30T22:00Z");
	RUNS(BERLIN, "15 0 1 11 *", "2026-10-01T00:00:00Z", "2026-10-31T23:15Z",
	     "2027-10-31T23:15Z");
	/* the first hour of that day is not there: the run is when it would be over */
	RUNS(MIDNIGHT, "@daily", "2026-10-03T12:00:00Z", "2026-10-04T04:00Z", "2026-10-05T03:00Z");
	/* a quarter of an hour off */
	RUNS("<+0545>-5:45", "0 12 * * *", "2026-11-25T00:00:00Z", "2026-11-25T06:15Z");
}

static void test_words(void **state)
{
	static const char *const bad[] = { "x",
					   "* * * *",
					   "* * * * * *",
					   "60 * * * *",
					   "* 24 * * *",
					   "* * 0 * *",
					   "* * * 13 *",
					   "* * * * 8",
					   "5-1 * * * *",
					   "*/0 * * * *",
					   "1, * * * *",
					   ",1 * * * *",
					   "1--2 * * * *",
					   "*-3 * * * *",
					   "0 0 30 2 *",
					   "@often",
					   "@daily,",
					   "@daily @hourly",
					   "-1 * * * *",
					   "99999999999999999999 * * * *",
					   "* * * foo *",
					   "1/99 * * * *",
					   NULL };
	struct schedule schedule;

	(void)state;
	for (size_t i = 0; bad[i]; i++)
		assert_true(schedule_parse(bad[i], &schedule, NULL) < 0);
	assert_int_equal(schedule_parse("", &schedule, NULL), 0);
	assert_int_equal(schedule_next(&schedule, 0), 0);
	assert_int_equal(schedule_parse("@startup, @daily", &schedule, NULL), 0);
	assert_true(schedule.startup && schedule.n == 1);
	assert_int_equal(schedule_parse("@never", &schedule, NULL), 0);
	assert_true(schedule.never);
	assert_int_equal(schedule_next(&schedule, 0), 0);
	assert_int_equal(schedule_parse("@daily,@daily,@daily,@daily,@daily,@daily,@daily,@daily,"
					"@daily",
					&schedule, NULL) < 0,
			 1);
}

/* ---- retention ---- */

/* @keep on runs every @step hours before @now, @n of them; the kept ones as "0 3 24". */
static void assert_kept(const char *keep, const char *now, int step_h, size_t n,
			const char *expected)
{
	_cleanup_(freep) int64_t *times = xcalloc(n, sizeof(*times));
	_cleanup_(freep) bool *kept = xcalloc(n, sizeof(*kept));
	struct retention retention;
	struct buf text = { 0 };

	assert_int_equal(retention_parse(keep, &retention, NULL), 0);
	for (size_t i = 0; i < n; i++)
		times[i] = seconds(now) - (int64_t)i * step_h * 3600;
	retention_choose(&retention, times, n, kept);
	for (size_t i = 0; i < n; i++)
		if (kept[i])
			buf_printf(&text, "%s%zu", text.len ? " " : "", i);
	assert_string_equal(buf_str(&text), expected);
	buf_done(&text);
}

static void test_retention(void **state)
{
	(void)state;
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
	assert_kept("last=3", "2026-11-25T10:30:00Z", 1, 10, "0 1 2");
	assert_kept("hourly=2", "2026-11-25T10:30:00Z", 1, 10, "0 1");
	/* the newest of each day */
	assert_kept("daily=3", "2026-11-25T02:30:00Z", 1, 72, "0 3 27");
	assert_kept("last=1 daily=2", "2026-11-25T02:30:00Z", 1, 72, "0 3");
	/* Wednesday; weeks begin on Monday */
	assert_kept("weekly=3", "2026-11-25T12:00:00Z", 24, 30, "0 3 10");
	assert_kept("monthly=2", "2026-11-25T12:00:00Z", 24, 60, "0 25");
	assert_kept("yearly=5", "2026-02-25T12:00:00Z", 24, 60, "0 56");
	/* fewer than asked for: all classes take what there is */
	assert_kept("daily=7 weekly=4", "2026-11-25T12:00:00Z", 24, 5, "0 1 2 3 4");
	assert_kept("hourly=3", "2026-11-25T12:00:00Z", 5, 4, "0 1 2");
	/* no hour is taken for another one when the clock goes back */
	assert_int_equal(setenv("TZ", BERLIN, 1), 0);
	tzset();
	assert_kept("hourly=4", "2026-10-25T02:30:00Z", 1, 6, "0 1 2 3");
}

static void test_retention_words(void **state)
{
	static const char *const bad[] = { "",	     "hourly", "hourly=",    "hourly=x", "daily=-1",
					   "last=0", "days=3", "last=99999", "last=1;x", NULL };
	struct retention retention;

	(void)state;
	for (size_t i = 0; bad[i]; i++)
		assert_true(retention_parse(bad[i], &retention, NULL) < 0);
	assert_int_equal(retention_parse("last=3 hourly=24 daily=7 weekly=4 monthly=12", &retention,
					 NULL),
			 0);
	assert_int_equal(retention.keep[RETENTION_MONTHLY], 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),		cmocka_unit_test(test_leap_years),
		cmocka_unit_test(test_daylight_saving), cmocka_unit_test(test_words),
		cmocka_unit_test(test_retention),	cmocka_unit_test(test_retention_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests of spec/snapshot.h: names from patterns, times from spans */
#include "spec/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/fmt.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"

static const struct tm noon = {
	.tm_year = 126, .tm_mon = 0, .tm_mday = 2, .tm_hour = 12, .tm_min = 3, .tm_sec = 4
};

static bool is_taken(void *data, const char *name)
{
	return strv_contains(data, name);
}

static void assert_name(const char *pattern, const char *const *taken, const char *expected)
{
	_cleanup_(freep) char *name =
		snapshot_make_name(pattern, &noon, 1767355384000000000, is_taken, (void *)taken);

	assert_string_equal(name, expected);
}

static void test_names(void **state)
{
	static const char *const none[] = { NULL };
	static const char *const some[] = { "snap0", "snap7", "daily", "daily-1", NULL };

	(void)state;
	assert_name("snap%d", none, "snap0");
	assert_name("snap%d", some, "snap8");
	assert_name("daily", none, "daily");
	assert_name("daily", some, "daily-2");
	assert_name("%F_%T", none, "2026-01-02_120304");
	assert_name("%Y.%m.%D-%H-%M-%S_%s", none, "2026.01.02-12-03-04_1767355384");
}

/* A4: nothing that is not listed, and no name that is none. */
static void test_patterns(void **state)
{
	static const char *const good[] = { "snap%d", "%F", "auto-%Y%m%D-%T", "a.b_c", NULL };
	static const char *const bad[] = { "",
					   "%",
					   "%x",
					   "%%",
					   "snap%",
					   "{{ creation_date }}",
					   "{% include \"/etc/passwd\" %}",
					   "../%d",
					   "a/b",
					   "-x",
					   "a b",
					   "a\nb",
					   "%n",
					   "$(id)",
					   "..",
					   NULL };

	(void)state;
	for (size_t i = 0; good[i]; i++)
		assert_int_equal(snapshot_pattern_check(good[i], NULL), 0);
	for (size_t i = 0; bad[i]; i++)
		assert_true(snapshot_pattern_check(bad[i], NULL) < 0);
}

static void assert_expiry(const char *span, const char *from, const char *expected)
{
	char text[FMT_TIME_LEN];
	int64_t from_ns, ns;

	assert_int_equal(time_parse_rfc3339(from, &from_ns), 0);
	assert_int_equal(snapshot_expiry(span, from_ns, &ns, NULL), 0);
	if (!expected)
		assert_int_equal(ns, 0);
	else
		assert_string_equal(fmt_time(text, ns), expected);
}

static void test_expiry(void **state)
{
	static const char *const bad[] = { "1",	   "d",	   "1x",
					   "-1d",  "1d2h", "1 d",
					   "1D",   "1h",   "99999999999999999999d",
					   "soon", NULL };
	int64_t ns;

	(void)state;
	assert_expiry("", "2026-01-31T10:00:00Z", NULL);
	assert_expiry("0", "2026-01-31T10:00:00Z", NULL);
	assert_expiry("5M", "2026-01-31T23:58:00Z", "2026-02-01T00:03:00.000000000Z");
	assert_expiry("2H", "2026-01-31T23:58:00Z", "2026-02-01T01:58:00.000000000Z");
	assert_expiry("3d 1w", "2026-02-20T10:00:00Z", "2026-03-02T10:00:00.000000000Z");
	assert_expiry("1m", "2026-01-31T10:00:00Z", "2026-02-28T10:00:00.000000000Z");
	assert_expiry("1m", "2028-01-31T10:00:00Z", "2028-02-29T10:00:00.000000000Z");
	assert_expiry("1y", "2028-02-29T10:00:00Z", "2029-02-28T10:00:00.000000000Z");
	assert_expiry("13m", "2026-12-05T10:00:00Z", "2028-01-05T10:00:00.000000000Z");
	assert_expiry("9000y", "2026-12-05T10:00:00Z", NULL);
	for (size_t i = 0; bad[i]; i++)
		assert_true(snapshot_expiry(bad[i], 0, &ns, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_expiry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

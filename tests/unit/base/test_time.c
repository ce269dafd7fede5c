/* tests of base/time: RFC 3339 and nothing else */
#include "base/time.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fmt.h"
#include "base/macro.h"

static void test_parse(void **state)
{
	static const struct {
		const char *s;
		int64_t wall_ns;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T00:00:00.000000001Z", 1 },
		{ "1970-01-01T00:00:00.5Z", 500000000 },
		{ "1970-01-01T00:00:00.1234567899Z", 123456789 },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "1969-12-31T23:30:00-00:30", 0 },
		{ "2024-02-29T12:34:56Z", 1709210096LL * NS_PER_S },
		{ "0001-01-01T00:00:00Z", INT64_MIN }, /* the zero time is before all others */
		{ "9999-12-31T23:59:59Z", INT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t wall_ns = 4711;

		assert_int_equal(time_parse_rfc3339(cases[i].s, &wall_ns), 0);
		assert_true(wall_ns == cases[i].wall_ns);
	}
}

static void test_refuse(void **state)
{
	static const char *const cases[] = {
		"",
		"2024",
		"2024-02-29",
		"2024-02-29T12:34:56",
		"2024-02-30T12:34:56Z",
		"2023-02-29T12:34:56Z",
		"2024-13-01T00:00:00Z",
		"2024-00-01T00:00:00Z",
		"2024-01-01T24:00:00Z",
		"2024-01-01T00:60:00Z",
		"2024-01-01T00:00:61Z",
		"2024-1-01T00:00:00Z",
		"-024-01-01T00:00:00Z",
		"2024-01-01T+1:00:00Z",
		"2024-01-01T00:00:00.Z",
		"2024-01-01T00:00:00z0",
		"2024-01-01T00:00:00+1:00",
		"2024-01-01T00:00:00+24:00",
		"2024-01-01T00:00:00+00:60",
		"2024-01-01 00:00:00Z",
	};
	int64_t wall_ns = 4711;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (time_parse_rfc3339(cases[i], &wall_ns) != -EINVAL)
			fail_msg("taken: %s", cases[i]);
	assert_int_equal(wall_ns, 4711);
}

static void test_round_trip(void **state)
{
	static const int64_t cases[] = { 0, -1, 1, 951782399999999999, 4102444800000000000 };
	char out[FMT_TIME_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t wall_ns;

		assert_int_equal(time_parse_rfc3339(fmt_time(out, cases[i]), &wall_ns), 0);
		assert_true(wall_ns == cases[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

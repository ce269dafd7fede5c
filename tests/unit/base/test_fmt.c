/* tests of base/fmt: numbers as people read them */
#include "base/fmt.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/time.h"

static void test_bytes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0B" },	     { 1023, "1023B" },		{ 1024, "1.00KiB" },
		{ 1536, "1.50KiB" }, { 5ULL << 30, "5.00GiB" }, { UINT64_MAX, "16.00EiB" },
	};
	char out[FMT_BYTES_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(fmt_bytes(out, cases[i].bytes), cases[i].text);
}

static void test_time(void **state)
{
	static const struct {
		int64_t wall_ns;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000000000Z" },
		{ -1, "1969-12-31T23:59:59.999999999Z" },
		{ 1709210096LL * NS_PER_S + 7, "2024-02-29T12:34:56.000000007Z" },
		{ INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
	};
	char out[FMT_TIME_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(fmt_time(out, cases[i].wall_ns), cases[i].text);
}

static void test_duration(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "0ms" },	     { 850, "850ms" },	    { 3200, "3.2s" },
		{ 252000, "4m12s" }, { 11100000, "3h05m" },
	};
	char out[FMT_DURATION_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(fmt_duration(out, cases[i].ms * NS_PER_MS), cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_duration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests of base/parse: numbers, strictly */
#include "base/parse.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

static void test_unsigned(void **state)
{
	static const struct {
		const char *s;
		uint64_t max;
		int r;
		uint64_t value;
	} cases[] = {
		{ "0", 10, 0, 0 },
		{ "010", 10, 0, 10 },
		{ "10", 10, 0, 10 },
		{ "11", 10, -ERANGE, 0 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
		{ "99999999999999999999", UINT64_MAX, -ERANGE, 0 },
		{ "", 10, -EINVAL, 0 },
		{ "-1", 10, -EINVAL, 0 },
		{ "+1", 10, -EINVAL, 0 },
		{ " 1", 10, -EINVAL, 0 },
		{ "1 ", 10, -EINVAL, 0 },
		{ "1x", 10, -EINVAL, 0 },
		{ "0x1", 10, -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t value = 4711;

		assert_int_equal(parse_u64(cases[i].s, cases[i].max, &value), cases[i].r);
		assert_int_equal(value, cases[i].r < 0 ? 4711 : cases[i].value);
	}
}

static void test_others(void **state)
{
	uint32_t u32 = 1;
	int64_t i64 = 1;

	(void)state;
	assert_int_equal(parse_u32("4294967295", &u32), 0);
	assert_int_equal(u32, UINT32_MAX);
	assert_int_equal(parse_u32("4294967296", &u32), -ERANGE);
	assert_int_equal(parse_i64("-9223372036854775807", &i64), 0);
	assert_true(i64 == -INT64_MAX);
	assert_int_equal(parse_i64("--1", &i64), -EINVAL);
	assert_int_equal(parse_i64("-", &i64), -EINVAL);
	assert_int_equal(parse_octal("0755", 07777, &u32), 0);
	assert_int_equal(u32, 0755);
	assert_int_equal(parse_octal("8", 07777, &u32), -EINVAL);
	assert_int_equal(parse_octal("10000", 07777, &u32), -ERANGE);
}

static void test_bool(void **state)
{
	static const char *const no_bools[] = { "", "2", "tru", "true ", "enabled", "00" };
	bool value = false;

	(void)state;
	assert_true(parse_bool("YES", &value) == 0 && value);
	assert_true(parse_bool("off", &value) == 0 && !value);
	assert_true(parse_bool("1", &value) == 0 && value);
	for (size_t i = 0; i < ARRAY_LEN(no_bools); i++)
		assert_int_equal(parse_bool(no_bools[i], &value), -EINVAL);
	assert_true(value);
}

static void test_bytes(void **state)
{
	static const struct {
		const char *s;
		int r;
		uint64_t value;
	} cases[] = {
		{ "512", 0, 512 },	  { "512B", 0, 512 },	   { "1kB", 0, 1000 },
		{ "2GB", 0, 2000000000 }, { "1MiB", 0, 1048576 },  { "15EiB", 0, 15ULL << 60 },
		{ "16EiB", -ERANGE, 0 },  { "1 MiB", -EINVAL, 0 }, { "1mib", -EINVAL, 0 },
		{ "1.5GiB", -EINVAL, 0 }, { "GiB", -EINVAL, 0 },   { "-1MiB", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t value = 0;

		assert_int_equal(parse_bytes(cases[i].s, &value), cases[i].r);
		if (cases[i].r == 0)
			assert_int_equal(value, cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unsigned),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests/unit/cli/test_detach.c - the keys that leave a console */
#include "cli/detach.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/str.h"

static void test_names(void **state)
{
	static const char *const wrong[] = { "",       "a",  "ctrl-", "ctrl-m",
					     "ctrl-j", "^[", "^ab",   "ctrl-1" };
	struct detach detach;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(detach_parse("ctrl-a", &detach, &err), 0);
	assert_int_equal(detach.prefix, 1);
	assert_int_equal(detach_parse("^]", &detach, &err), 0);
	assert_int_equal(detach.prefix, 0x1d);
	assert_int_equal(detach_parse("none", &detach, &err), 0);
	assert_int_equal(detach.prefix, 0);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_true(detach_parse(wrong[i], &detach, &err) < 0);
}

/* What is left of @typed, given in two pieces split at each place. */
static void test_filter(void **state)
{
	static const struct {
		const char *typed, *left;
		char prefix;
		bool wanted;
	} cases[] = {
		{ "plain q", "plain q", 1, false },
		{ "ab\x01qcd", "ab", 1, true },
		{ "a\x01\x01q", "a\x01q", 1, false },
		{ "\x01xq", "xq", 1, false },
		{ "\x01q", "\x01q", 0, false },
		{ "\x01\x1dq", "\x01", 0x1d, true },
		{ "", "", 1, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t len = strlen(cases[i].typed);

		for (size_t cut = 0; cut <= len; cut++) {
			struct detach detach = { .prefix = cases[i].prefix };
			char bytes[16], left[16] = "";
			size_t n;

			memcpy(bytes, cases[i].typed, len);
			n = detach_filter(&detach, bytes, cut);
			memcpy(left, bytes, n);
			memcpy(bytes, cases[i].typed + cut, len - cut);
			memcpy(left + n, bytes, detach_filter(&detach, bytes, len - cut));
			assert_string_equal(left, cases[i].left);
			assert_int_equal(detach.wanted, cases[i].wanted);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests of base/str: strings and vectors of them */
#include "base/str.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

static void test_compare(void **state)
{
	(void)state;
	assert_true(streq(NULL, NULL));
	assert_false(streq(NULL, ""));
	assert_true(streq("a", "a"));
	assert_string_equal(str_after("user.x", "user."), "x");
	assert_null(str_after("user", "user."));
	assert_true(str_ends_with("a.tar", ".tar"));
	assert_false(str_ends_with("tar", ".tar"));
	assert_true(str_only("", "abc"));
	assert_true(str_only("cab", "abc"));
	assert_false(str_only("cab ", "abc"));
}

static void test_nearest(void **state)
{
	static const char *const names[] = { "limits.cpu", "limits.memory", "boot.autostart",
					     NULL };

	(void)state;
	assert_string_equal(str_nearest("limit.cpu", names), "limits.cpu");
	assert_string_equal(str_nearest("limits.memroy", names), "limits.memory");
	assert_null(str_nearest("security.nesting", names));
	assert_int_equal(str_distance("kitten", "sitting"), 3);
	assert_int_equal(str_distance("", "abc"), 3);
}

/* What would reach a terminal: escape sequences in C0 and in C1, also as UTF-8. */
static void test_printable(void **state)
{
	static const struct {
		const char *in, *line, *lines;
	} cases[] = {
		{ "plain", "plain", "plain" },		{ "a\033[31mb", "a?[31mb", "a?[31mb" },
		{ "a\nb\tc\r", "a?b?c?", "a\nb\tc?" },	{ "\177", "?", "?" },
		{ "\xc3\xa4", "\xc3\xa4", "\xc3\xa4" }, { "\xc2\x9b", "??", "??" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *line = str_printable(cases[i].in, false);
		char *lines = str_printable(cases[i].in, true);

		assert_string_equal(line, cases[i].line);
		assert_string_equal(lines, cases[i].lines);
		free(line);
		free(lines);
	}
}

static void test_vectors(void **state)
{
	_cleanup_(strv_freep) char **v = strv_split(",a,,b,", ",");
	_cleanup_(strv_freep) char **copy = NULL;
	char *joined;

	(void)state;
	assert_int_equal(strv_len(v), 2);
	strv_push(&v, "c");
	joined = strv_join((const char *const *)v, "-");
	assert_string_equal(joined, "a-b-c");
	free(joined);
	copy = strv_copy((const char *const *)v);
	assert_true(strv_equal((const char *const *)v, (const char *const *)copy));
	assert_true(strv_contains((const char *const *)v, "b"));
	assert_false(strv_contains(NULL, "b"));
	assert_int_equal(strv_len(NULL), 0);
	strv_push(&copy, "d");
	assert_false(strv_equal((const char *const *)v, (const char *const *)copy));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests of image/build_log */
#include "image/build_log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"

static void test_stage(void **state)
{
	static const struct {
		const char *text;
		const char *stage;
	} cases[] = {
		{ "", NULL },
		{ "noise\n", NULL },
		{ "I: running apt-get update...\ndone\n", "download" },
		{ "I: running apt-get update...\nI: extracting archives...\nnoise\n", "bootstrap" },
		{ "I: installing remaining packages inside the chroot...\r\n", "packages" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_true(streq(build_log_stage(cases[i].text), cases[i].stage));
}

static void test_reason(void **state)
{
	static const struct {
		const char *text;
		const char *reason;
	} cases[] = {
		{ "", "" },
		{ "one\ntwo\nthree\nfour\n", "two; three; four" },
		{ "I: a\nE: Failed to fetch http://x\nI: b\nE: mmdebstrap failed to run\n",
		  "E: Failed to fetch http://x" },
		{ "E: 1\nE: 2\nE: 3\nE: 4\n", "E: 2; E: 3; E: 4" },
		{ "E: \x1b[31mred\x07\n", "E: ?[31mred?" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(freep) char *reason = build_log_reason(cases[i].text);

		assert_string_equal(reason, cases[i].reason);
	}
}

static void test_reason_is_short(void **state)
{
	char text[2001];
	_cleanup_(freep) char *reason = NULL;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	text[sizeof(text) - 1] = '\0';
	reason = build_log_reason(text);
	assert_int_equal(strlen(reason), 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stage),
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_reason_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

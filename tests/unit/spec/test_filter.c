/* tests of spec/filter */
#include "spec/filter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/strmap.h"

static const char *get(void *object, const char *field)
{
	return strmap_get(object, field);
}

static void test_matching(void **state)
{
	static const struct {
		const char *filter;
		bool match;
	} cases[] = {
		{ "", true },
		{ "  ", true },
		{ "name eq web1", true },
		{ "name eq WEB1", true },
		{ "name eq web", false },
		{ "name eq web.*", true },
		{ "name eq ^we", true },
		{ "name ne web1", false },
		{ "not name eq web1", false },
		{ "not name ne web1", true },
		{ "name EQ web1", true },
		{ "config.image.os eq \"Debian GNU/Linux\"", true },
		{ "config.image.os eq \"debian.*\"", true },
		{ "status eq running and name eq web1", true },
		{ "status eq stopped and name eq web1", false },
		{ "status eq stopped or name eq web1", true },
		/* left to right: (true or true) and false */
		{ "name eq web1 or status eq running and name eq x", false },
		{ "name eq x and name eq y or status eq running", true },
		{ "missing eq \"\"", true },
		{ "missing ne x", true },
		{ "name eq a|web1", true },
		{ "name eq (web1", false },
		{ "odd eq (web1", true }, /* no expression: compared as text */
		{ "odd eq [", false },
		{ "name eq w+e+b+1+", true },
		{ "name eq w+++++++++++++++++++++++++++++++++eb1", false }, /* text, and at once */
		{ "name eq w{1}eb1", false }, /* repetition counts are text */
		{ "name eq \"(w)eb\\\\1\"", false },
		{ "quoted eq \"a \\\"b\\\"\"", true },
	};
	struct strmap object = { 0 };

	(void)state;
	strmap_set(&object, "name", "web1");
	strmap_set(&object, "status", "Running");
	strmap_set(&object, "config.image.os", "Debian GNU/Linux");
	strmap_set(&object, "odd", "(web1");
	strmap_set(&object, "quoted", "a \"b\"");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct filter *filter = NULL;
		struct err err = { 0 };

		if (filter_parse(cases[i].filter, &filter, &err) != 0)
			fail_msg("%s: %s", cases[i].filter, err.msg);
		if (filter_match(filter, get, &object) != cases[i].match)
			fail_msg("%s", cases[i].filter);
		filter_free(filter);
	}
	strmap_done(&object);
}

static void test_errors(void **state)
{
	static const struct {
		const char *filter;
		const char *words;
	} cases[] = {
		{ "name", "no operator" },
		{ "name eq", "a value is missing" },
		{ "name like x", "\"like\" is no operator" },
		{ "name eq a b", "\"b\" is unexpected" },
		{ "name eq a and", "a field is missing" },
		{ "not", "a field is missing" },
		{ "name \033 x", "\"?\" is no operator" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct filter *filter = NULL;
		struct err err = { 0 };

		assert_int_equal(filter_parse(cases[i].filter, &filter, &err), -EINVAL);
		if (!strstr(err.msg, cases[i].words))
			fail_msg("%s: %s", cases[i].filter, err.msg);
		assert_null(filter);
	}
}

static void test_bounds(void **state)
{
	struct filter *filter = NULL;
	struct buf text = { 0 };
	struct strmap object = { 0 };

	(void)state;
	for (int i = 0; i < FILTER_CLAUSES_MAX; i++)
		buf_printf(&text, "%sa eq b", i ? " and " : "");
	assert_int_equal(filter_parse(text.data, &filter, NULL), 0);
	assert_false(filter_match(filter, get, &object));
	filter_freep(&filter);
	buf_add_str(&text, " and a eq b");
	assert_int_equal(filter_parse(text.data, &filter, NULL), -EINVAL);
	for (int i = 0; i < FILTER_TEXT_MAX; i++)
		buf_add_char(&text, ' ');
	assert_int_equal(filter_parse(text.data, &filter, NULL), -EINVAL);
	buf_done(&text);
}

static void test_null_matches_everything(void **state)
{
	struct filter *filter = NULL;
	struct strmap object = { 0 };

	(void)state;
	assert_int_equal(filter_parse(NULL, &filter, NULL), 0);
	assert_true(filter_match(filter, get, &object));
	filter_free(filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matching),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_null_matches_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests of codec/url */
#include "codec/url.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

static void test_decode(void **state)
{
	static const struct {
		const char *in;
		const char *out; /* NULL: refused */
	} cases[] = {
		{ "", "" },	      { "c1", "c1" },	{ "c1%2Fsnap0", "c1/snap0" },
		{ "%2f%2F", "//" },   { "a+b", "a+b" }, { "%C3%A9", "\xc3\xa9" },
		{ "100%25", "100%" }, { "%", NULL },	{ "%2", NULL },
		{ "%zz", NULL },      { "%2g", NULL },	{ "a%00b", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(freep) char *text = NULL;
		int r = url_decode(cases[i].in, strlen(cases[i].in), &text);

		assert_int_equal(r, cases[i].out ? 0 : -EINVAL);
		assert_true(streq(text, cases[i].out));
	}
}

static void test_raw_nul_is_refused(void **state)
{
	char *text = NULL;

	(void)state;
	assert_int_equal(url_decode("a\0b", 3, &text), -EINVAL);
	assert_null(text);
}

static void test_encode_is_undone_by_decode(void **state)
{
	_cleanup_(freep) char *encoded = NULL, *back = NULL;
	char all[256];

	(void)state;
	for (int i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	encoded = url_encode(all);
	assert_int_equal(url_decode(encoded, strlen(encoded), &back), 0);
	assert_string_equal(back, all);
	assert_null(strpbrk(encoded, "/? &=+"));
}

static void test_split_path(void **state)
{
	static const struct {
		const char *path;
		int result;
		const char *joined; /* by | */
	} cases[] = {
		{ "/", 0, "" },
		{ "/1.0", 0, "1.0" },
		{ "/1.0/instances/c1%2Fs", 0, "1.0|instances|c1/s" },
		{ "/1.0/instances?recursion=1/2", 0, "1.0|instances" },
		{ "/?x", 0, "" },
		{ "/1.0/", 0, "1.0|" },
		{ "//x", 0, "|x" },
		{ "1.0", -EINVAL, NULL },
		{ "", -EINVAL, NULL },
		{ "/a/%", -EINVAL, NULL },
		{ "/../..", 0, "..|.." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strv_freep) char **v = NULL;
		_cleanup_(freep) char *joined = NULL;

		assert_int_equal(url_split_path(cases[i].path, &v), cases[i].result);
		joined = strv_join((const char *const *)v, "|");
		if (cases[i].result == 0)
			assert_string_equal(joined, cases[i].joined);
	}
}

static void test_split_path_has_a_limit(void **state)
{
	struct buf path = { 0 };
	char **v = NULL;

	(void)state;
	for (int i = 0; i < URL_SEGMENTS_MAX; i++)
		buf_add_str(&path, "/a");
	assert_int_equal(url_split_path(path.data, &v), 0);
	assert_int_equal(strv_len(v), URL_SEGMENTS_MAX);
	v = strv_free(v);
	buf_add_str(&path, "/a");
	assert_int_equal(url_split_path(path.data, &v), -E2BIG);
	assert_null(v);
	buf_done(&path);
}

static void test_query(void **state)
{
	static const struct {
		const char *query;
		int result;
		const char *key;
		const char *value; /* NULL: not there */
	} cases[] = {
		{ NULL, 0, "a", NULL },
		{ "", 0, "a", NULL },
		{ "recursion=2&filter=", 0, "filter", "" },
		{ "filter=status+eq+running", 0, "filter", "status eq running" },
		{ "path=%2Ftmp%2Fa%20b", 0, "path", "/tmp/a b" },
		{ "a=1&a=2", 0, "a", "2" },
		{ "a", 0, "a", "" },
		{ "&&a=b&", 0, "a", "b" },
		{ "a=b=c", 0, "a", "b=c" },
		{ "=x", 0, "", "x" },
		{ "a=%", -EINVAL, NULL, NULL },
		{ "%00=a", -EINVAL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strmap pairs = { 0 };

		assert_int_equal(url_parse_query(cases[i].query, &pairs), cases[i].result);
		if (cases[i].result == 0)
			assert_true(streq(strmap_get(&pairs, cases[i].key), cases[i].value));
		strmap_done(&pairs);
	}
}

static void test_query_values(void **state)
{
	char **v = NULL;

	(void)state;
	assert_int_equal(url_query_values("profile=a&x=1&profile=b%2Fc", "profile", &v), 0);
	assert_int_equal(strv_len(v), 2);
	assert_string_equal(v[1], "b/c");
	v = strv_free(v);
	assert_int_equal(url_query_values("profile=a&x=%", "profile", &v), -EINVAL);
	assert_null(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_raw_nul_is_refused),
		cmocka_unit_test(test_encode_is_undone_by_decode),
		cmocka_unit_test(test_split_path),
		cmocka_unit_test(test_split_path_has_a_limit),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_query_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

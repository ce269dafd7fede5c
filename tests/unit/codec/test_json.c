/* tests of codec/json */
#include "codec/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/str.h"

static int parse(const char *text, json_t **ret_json, struct err *err)
{
	return json_parse(text, strlen(text), ret_json, err);
}

static void test_what_is_refused(void **state)
{
	static const char *const cases[] = {
		"",	 "{",	       "{\"a\":1,}",	"{\"a\":1,\"a\":2}",
		"[1] 2", "{'a':1}",    "\"a\\u0000b\"", "\"\xff\"",
		"nul",	 "[\"a\tb\"]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = { 0 };
		json_t *json = NULL;

		assert_int_equal(parse(cases[i], &json, &err), -EINVAL);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_null(json);
	}
}

static void test_depth_is_bounded(void **state)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	_cleanup_(json_decrefp) json_t *json = NULL;
	json_t *deep = NULL;
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		buf_add_char(&text, '[');
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		buf_add_char(&text, ']');
	assert_int_equal(json_parse(text.data, text.len, &json, &err), 0);
	buf_done(&text);
	for (int i = 0; i < 1000000; i++)
		buf_add_char(&text, '[');
	assert_int_equal(json_parse(text.data, text.len, &deep, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "nested"));
	/* brackets in strings do not count */
	assert_int_equal(parse("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[\"", &deep, &err),
			 0);
	json_decref(deep);
}

static void test_getters(void **state)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	static const char text[] = "{\"name\":\"c1\",\"Config\":{\"a\":\"1\"},\"n\":7,\"b\":true,"
				   "\"nothing\":null,\"v\":[\"x\",\"y\"]}";

	(void)state;
	assert_int_equal(parse(text, &json, NULL), 0);
	assert_string_equal(json_str(json, "name", "?"), "c1");
	assert_string_equal(json_str(json, "nothing", "?"), "?");
	assert_string_equal(json_str(json, "missing", "?"), "?");
	assert_string_equal(json_str(json, "n", "?"), "?");
	assert_string_equal(json_str(NULL, "n", "?"), "?");
	assert_int_equal(json_i64(json, "n", -1), 7);
	assert_int_equal(json_i64(json, "name", -1), -1);
	assert_true(json_bool(json, "b", false));
	assert_true(json_bool(json, "nothing", true));
	assert_non_null(json_get_object(json, "config"));
	assert_null(json_get_object(json, "name"));
}

static void test_strmap(void **state)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	_cleanup_(strmap_done) struct strmap map = { 0 };
	_cleanup_(strv_freep) char **v = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(parse("{\"Config\":{\"a\":\"1\",\"b\":\"\"},\"bad\":{\"limits.cpu\":2},"
			       "\"list\":[\"x\"],\"worse\":[1],\"none\":null}",
			       &json, NULL),
			 0);
	assert_int_equal(json_strmap(json, "config", &map, &err), 0);
	assert_int_equal(map.len, 2);
	assert_int_equal(json_strmap(json, "none", &map, &err), 0);
	assert_int_equal(json_strmap(json, "bad", &map, &err), -EINVAL);
	assert_string_equal(err.msg, "bad: \"limits.cpu\" must be a string");
	assert_int_equal(json_strmap(json, "list", &map, &err), -EINVAL);
	assert_int_equal(json_strv(json, "list", &v, &err), 0);
	assert_int_equal(strv_len(v), 1);
	strv_freep(&v);
	v = NULL;
	assert_int_equal(json_strv(json, "worse", &v, &err), -EINVAL);
	assert_int_equal(json_strv(json, "none", &v, &err), 0);
	assert_null(v);
}

static void test_check(void **state)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(parse("{\"name\":1,\"e\":true,\"o\":{},\"a\":[],\"i\":3,\"z\":null}",
			       &json, NULL),
			 0);
	assert_int_equal(json_check(json, "b:e o:o a:a i:i s:z s:missing", &err), 0);
	assert_int_equal(json_check(json, "s:name", &err), -EINVAL);
	assert_string_equal(err.msg, "\"name\" must be a string");
	assert_int_equal(json_check(NULL, "s:name", &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_refused), cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_getters),		cmocka_unit_test(test_strmap),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

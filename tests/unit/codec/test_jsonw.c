/* tests of codec/jsonw */
#include "codec/jsonw.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

static void test_commas(void **state)
{
	_cleanup_(buf_done) struct buf out = { 0 };
	_cleanup_(strmap_done) struct strmap map = { 0 };
	static const char *const v[] = { "x", "y", NULL };
	struct jsonw w;

	(void)state;
	buf_add_str(&out, "HTTP,"); /* what was there before is none of the writer's business */
	w = jsonw_new(&out);
	strmap_set(&map, "k", "v");
	jsonw_begin_object(&w);
	jsonw_add_str(&w, "s", "a");
	jsonw_add_str(&w, "none", NULL);
	jsonw_add_i64(&w, "i", -5);
	jsonw_add_u64(&w, "u", UINT64_MAX);
	jsonw_add_bool(&w, "b", true);
	jsonw_add_strmap(&w, "m", &map);
	jsonw_add_strv(&w, "v", v);
	jsonw_add_strv(&w, "empty", NULL);
	jsonw_add_array(&w, "a");
	jsonw_begin_object(&w);
	jsonw_end_object(&w);
	jsonw_begin_array(&w);
	jsonw_end_array(&w);
	jsonw_raw(&w, "{}", 2);
	jsonw_str(&w, ",");
	jsonw_null(&w);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	assert_string_equal(out.data,
			    "HTTP,{\"s\":\"a\",\"none\":null,\"i\":-5,"
			    "\"u\":18446744073709551615,\"b\":true,\"m\":{\"k\":\"v\"},"
			    "\"v\":[\"x\",\"y\"],\"empty\":[],\"a\":[{},[],{},\",\",null]}");
}

static void test_escapes(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{ "", "\"\"" },
		{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
		{ "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
		  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "a\xff", "\"a\\ufffd\"" },
		{ "\xc0\xaf", "\"\\ufffd\\ufffd\"" },		 /* overlong */
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" }, /* surrogate */
		{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
		{ "\xe2\x82", "\"\\ufffd\\ufffd\"" }, /* cut off */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_done) struct buf out = { 0 };
		struct jsonw w = jsonw_new(&out);

		jsonw_str(&w, cases[i].in);
		assert_string_equal(out.data, cases[i].out);
	}
}

static void test_what_is_written_can_be_read(void **state)
{
	_cleanup_(buf_done) struct buf out = { 0 };
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct jsonw w = jsonw_new(&out);
	char all[256];

	(void)state;
	for (int i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	jsonw_strn(&w, all, 255);
	json = json_loadb(out.data, out.len, JSON_DECODE_ANY, NULL);
	assert_non_null(json);
	assert_memory_equal(json_string_value(json), all, 127);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commas),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_what_is_written_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

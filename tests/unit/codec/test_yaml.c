/* tests of codec/yaml */
#include "codec/yaml.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/mem.h"

static char *to_json(const char *text)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct err err = { 0 };

	if (yaml_parse(text, strlen(text), &json, &err) < 0)
		return xasprintf("! %s", err.msg);
	return json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
}

static void test_parse(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{ "", "null" },
		{ "--- \n", "null" },
		{ "a: 1\nb: on\nc: 'null'\nd: null\ne: ~\nf:\ng: \"\"\n",
		  "{\"a\":\"1\",\"b\":\"on\",\"c\":\"null\",\"d\":null,\"e\":null,\"f\":null,\"g\":\"\"}" },
		{ "- x\n- [y, {z: 1}]\n", "[\"x\",[\"y\",{\"z\":\"1\"}]]" },
		{ "a: |\n  l1\n  l2\n", "{\"a\":\"l1\\nl2\\n\"}" },
		{ "{\"a\": [1, true]}", "{\"a\":[\"1\",\"true\"]}" },
		{ "a: !!str null\n", "{\"a\":\"null\"}" },
		{ "null: 1\n", "{\"null\":\"1\"}" },
		{ "a: &x 1\n", "! line 1, column 4: anchors are not supported" },
		{ "a: *x\n", "! line 1, column 4: aliases are not supported" },
		{ "<<: {a: 1}\n", "! line 1, column 1: merge keys are not supported" },
		{ "a: 1\nb: 2\na: 3\n", "! line 3, column 1: duplicate key \"a\"" },
		{ "a: !!python/object x\n",
		  "! line 1, column 4: unsupported tag \"tag:yaml.org,2002:python/object\"" },
		{ "--- 1\n--- 2\n", "! line 2, column 1: more than one document" },
		{ "? [a]\n: 1\n", "! line 1, column 3: a key must be a plain word" },
		{ "a: \"x\\0y\"\n", "! line 1, column 4: NUL character" },
		{ "a: [1\n", "! line 2, column 1: did not find expected ',' or ']'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(freep) char *got = to_json(cases[i].in);

		assert_string_equal(got, cases[i].out);
	}
}

static void test_limits(void **state)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	json_t *json = NULL;
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < YAML_DEPTH_MAX + 1; i++)
		buf_add_char(&text, '[');
	assert_int_equal(yaml_parse(text.data, text.len, &json, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "nested too deeply"));
	buf_done(&text);
	while (text.len <= YAML_BYTES_MAX)
		buf_add_str(&text, "# comment\n");
	assert_int_equal(yaml_parse(text.data, text.len, &json, &err), -EINVAL);
	assert_null(json);
}

static void test_emit(void **state)
{
	_cleanup_(json_decrefp) json_t *json = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:{s:s}}, s:{}, s:[], s:[s,s], s:b, "
		"s:i, s:n, s:s, s:s}",
		"name", "c1", "yes", "yes", "number", "12", "null", "null", "empty", "", "address",
		"10.0.0.1/24", "mac", "00:16:3e:00:00:01", "time", "2026-01-02", "multi", "a\nb\n",
		"devices", "eth0", "type", "nic", "none", "list", "items", "x", "- y", "bool", 1,
		"int", 3, "nil", "colon", "a: b", "blank", " a");
	_cleanup_(json_decrefp) json_t *again = NULL;
	_cleanup_(buf_done) struct buf out = { 0 };

	(void)state;
	assert_non_null(json);
	yaml_emit(json, &out);
	assert_string_equal(out.data,
			    "name: c1\n\"yes\": \"yes\"\nnumber: \"12\"\n\"null\": \"null\"\n"
			    "empty: \"\"\naddress: 10.0.0.1/24\nmac: 00:16:3e:00:00:01\n"
			    "time: \"2026-01-02\"\nmulti: |\n  a\n  b\n"
			    "devices:\n  eth0:\n    type: nic\nnone: {}\nlist: []\n"
			    "items:\n- x\n- '- y'\nbool: true\nint: 3\nnil: null\n"
			    "colon: 'a: b'\nblank: ' a'\n");
	assert_int_equal(yaml_parse(out.data, out.len, &again, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(again, "multi")), "a\nb\n");
	assert_true(json_is_null(json_object_get(again, "nil")));
}

/* Every text comes back as it was, whatever YAML has to do to it. */
static void test_round_trip(void **state)
{
	static const char *const texts[] = {
		"",	     " ",	    "\n",	"a\n",	      "\na",
		" a\nb",     "a\r\nb",	    "- a",	"#",	      "a #b",
		"%",	     "@x",	    "a:",	"'",	      "\"",
		"{",	     "]",	    "!x",	"&x",	      "*",
		"\x01",	     "\x7f\x1b[0m", "\xc3\xa9", "1e3",	      "0x1f",
		"-",	     "--- a",	    "...",	"\t",	      "a\tb",
		"trailing ", "a\n\n\n",	    "| x",	"> y",	      "? z",
		"~",	     "1:20",	    ".5",	"a\n  b\n c", "\xef\xbb\xbfx",
		"=",	     "<<",	    "y",	"No",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_(json_decrefp) json_t *json = json_pack("{s:s}", "k", texts[i]);
		_cleanup_(json_decrefp) json_t *again = NULL;
		_cleanup_(buf_done) struct buf out = { 0 };
		struct err err = { 0 };

		yaml_emit(json, &out);
		if (yaml_parse(out.data, out.len, &again, &err) < 0)
			fail_msg("%s: %s", out.data, err.msg);
		if (!json_equal(json, again))
			fail_msg("text %zu became: %s", i, out.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_emit),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

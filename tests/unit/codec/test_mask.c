/* tests of codec/mask, alone and under codec/jsonw */
#include "codec/mask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "codec/jsonw.h"

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"", ",", "a,", "/", "a//b", "a,,b", "1/2/3/4/5/6/7/8/9"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct mask *mask = NULL;
		struct err err = { 0 };

		assert_true(mask_parse(texts[i], &mask, &err) < 0);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_null(mask);
	}
}

static void test_too_many(void **state)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	struct mask *mask = NULL;
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "%sm%d", i ? "," : "", i);
	assert_true(mask_parse(buf_str(&text), &mask, &err) < 0);
	assert_null(mask);
}

static void test_children(void **state)
{
	_cleanup_(mask_freep) struct mask *mask = NULL;
	const struct mask *child;

	(void)state;
	assert_int_equal(mask_parse("a/b,a/*/c,d,d/e", &mask, NULL), 0);
	assert_null(mask_child(mask, "x"));
	assert_non_null(mask_child(mask, "a"));
	child = mask_child(mask_child(mask, "a"), "other");
	assert_non_null(child);
	assert_null(mask_child(child, "b"));
	assert_non_null(mask_child(child, "c"));
	/* asked for as a whole, whatever else was asked for */
	child = mask_child(mask, "d");
	assert_ptr_equal(mask_child(child, "anything"), child);
}

/* Something like an instance. */
static void write_object(struct jsonw *w, const char *name)
{
	static const char *const profiles[] = { "p", "q", NULL };

	jsonw_begin_object(w);
	jsonw_add_str(w, "name", name);
	jsonw_add_strv(w, "profiles", profiles);
	jsonw_add_object(w, "config");
	jsonw_add_str(w, "k", "v");
	jsonw_add_i64(w, "n", 1);
	jsonw_end_object(w);
	jsonw_add_array(w, "nics");
	for (int i = 0; i < 2; i++) {
		jsonw_begin_object(w);
		jsonw_add_u64(w, "mtu", 1500);
		jsonw_add_bool(w, "up", i == 1);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
	jsonw_add_null(w, "state");
	jsonw_end_object(w);
}

static void test_written(void **state)
{
	static const struct {
		const char *fields, *expected;
	} cases[] = {
		{ "name", "{\"name\":\"a\"}" },
		{ "state,nothing", "{\"state\":null}" },
		{ "state/pid", "{\"state\":null}" },
		{ "nothing", "{}" },
		{ "config/k", "{\"config\":{\"k\":\"v\"}}" },
		{ "config/x,name", "{\"name\":\"a\",\"config\":{}}" },
		{ "profiles", "{\"profiles\":[\"p\",\"q\"]}" },
		{ "nics/*/up", "{\"nics\":[{\"up\":false},{\"up\":true}]}" },
		{ "nics/up", "{\"nics\":[]}" },
		{ "*/k,name", "{\"name\":\"a\",\"profiles\":[],\"config\":{\"k\":\"v\"},"
			      "\"nics\":[],\"state\":null}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(mask_freep) struct mask *mask = NULL;
		_cleanup_(buf_done) struct buf out = { 0 };
		struct jsonw w = jsonw_new(&out);

		assert_int_equal(mask_parse(cases[i].fields, &mask, NULL), 0);
		jsonw_set_mask(&w, mask);
		write_object(&w, "a");
		assert_string_equal(buf_str(&out), cases[i].expected);
	}
}

static void test_list(void **state)
{
	_cleanup_(mask_freep) struct mask *mask = NULL;
	_cleanup_(buf_done) struct buf out = { 0 };
	struct jsonw w = jsonw_new(&out);

	(void)state;
	assert_int_equal(mask_parse("name", &mask, NULL), 0);
	jsonw_set_mask(&w, mask);
	jsonw_begin_array(&w);
	jsonw_begin_object(&w);
	assert_true(jsonw_wants(&w, "name"));
	assert_false(jsonw_wants(&w, "config"));
	jsonw_end_object(&w);
	write_object(&w, "a");
	write_object(&w, "b");
	jsonw_str(&w, "/1.0/x"); /* a list without recursion is none of the mask's business */
	jsonw_end_array(&w);
	assert_string_equal(buf_str(&out), "[{},{\"name\":\"a\"},{\"name\":\"b\"},\"/1.0/x\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),	 cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_children), cmocka_unit_test(test_written),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

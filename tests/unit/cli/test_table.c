/* tests/unit/cli/test_table.c - columns and formats against golden files */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../golden.h"
#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/info.h"
#include "cli/table.h"

static void cell_two(const json_t *row, const char *key, struct buf *out)
{
	(void)row;
	(void)key;
	buf_add_str(out, "one\ntwo");
}

static const struct column columns[] = {
	{ 'n', "NAME", cell_text, "name", 0, NULL },
	{ 's', "STATE", cell_upper, "status", 0, NULL },
	{ 'l', "LINES", cell_two, NULL, 0, "a/b,c" },
	{ 'm', "MEMORY", cell_bytes, "state.memory.usage", COLUMN_RIGHT | COLUMN_STATE, NULL },
	{ 'u', "USED BY", cell_count, "used_by", COLUMN_RIGHT, NULL },
	{ 0 },
};

static json_t *rows(void)
{
	return json_loads("[{\"name\": \"web1\", \"status\": \"Running\", \"used_by\": [1, 2],"
			  "  \"state\": {\"memory\": {\"usage\": 50331648}},"
			  "  \"config\": {\"user.role\": \"front, \\\"end\\\"\"}},"
			  " {\"name\": \"b\\u001b[1m\", \"status\": \"Stopped\","
			  "  \"expanded_config\": {\"user.role\": \"back\"}}]",
			  0, NULL);
}

static void test_formats(void **state)
{
	_cleanup_(json_decrefp) json_t *list = rows();
	struct column_set set;
	struct buf text = { 0 };

	(void)state;
	assert_int_equal(table_choose(columns, "nslmu,user.role:ROLE", &set, NULL), 0);
	for (enum table_format f = 0; f < TABLE_FORMAT_MAX; f++) {
		buf_printf(&text, "==== %s ====\n", table_formats[f]);
		assert_int_equal(table_print(list, &set, f, &text, NULL), 0);
	}
	column_set_done(&set);
	assert_golden("cli/table.txt", buf_str(&text));
	buf_done(&text);
}

static void test_choose(void **state)
{
	static const struct {
		const char *text, *fields, *error;
	} cases[] = {
		{ "n", "name", NULL },
		{ "name,memory", "name state/memory/usage", NULL },
		{ "NAME,used_by", "name used_by", NULL },
		{ "sl", "status a/b c", NULL },
		{ "n,user.x", "name config/user.x expanded_config/user.x", NULL },
		{ "z", NULL, "unknown column letter \"z\"" },
		{ "name,memry", NULL, "unknown column \"memry\" (did you mean MEMORY?)" },
		{ "", NULL, "no columns given" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strv_freep) char **fields = NULL;
		struct column_set set = { 0 };
		struct err err = { 0 };
		int r = table_choose(columns, cases[i].text, &set, &err);

		if (cases[i].error) {
			assert_true(r < 0);
			assert_string_equal(err.msg, cases[i].error);
			continue;
		}
		assert_int_equal(r, 0);
		table_fields(&set, &fields);
		if (fields) {
			_cleanup_(freep) char *got = strv_join((const char *const *)fields, " ");

			assert_string_equal(got, cases[i].fields);
		}
		column_set_done(&set);
	}
}

static void test_format_names(void **state)
{
	enum table_format format;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(table_parse_format("yaml", &format, &err), 0);
	assert_int_equal(format, TABLE_YAML);
	assert_int_equal(table_parse_format(NULL, &format, &err), 0);
	assert_int_equal(format, TABLE_TABLE);
	assert_true(table_parse_format("jsn", &format, &err) < 0);
	assert_non_null(strstr(err.msg, "did you mean json?"));
}

static void test_info(void **state)
{
	_cleanup_(json_decrefp) json_t *instance = json_loads(
		"{\"name\": \"web1\", \"status\": \"Running\", \"type\": \"container\","
		" \"architecture\": \"x86_64\", \"ephemeral\": true, \"profiles\": [\"a\", \"b\"],"
		" \"expanded_config\": {\"limits.cpu\": \"2\", \"user.x\": \"y\"},"
		" \"state\": {\"pid\": 17, \"processes\": 3, \"cpu\": {\"usage\": 2500000000},"
		"  \"memory\": {\"usage\": 1048576}, \"network\": {\"lo\": {}, \"eth0\": {"
		"   \"state\": \"up\", \"hwaddr\": \"02:00:00:00:00:01\", \"host_name\": \"v1\","
		"   \"addresses\": [{\"family\": \"inet\", \"address\": \"10.0.0.2\","
		"    \"netmask\": \"24\", \"scope\": \"global\"}]}}}}",
		0, NULL);
	struct buf text = { 0 };

	(void)state;
	info_format(instance, &text);
	assert_golden("cli/info.txt", buf_str(&text));
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_choose),
		cmocka_unit_test(test_format_names),
		cmocka_unit_test(test_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests/unit/spec/test_portable.c - keys that others refuse travel under another name */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/macro.h"
#include "base/str.h"
#include "spec/portable.h"

static void test_encode(void **state)
{
	static const char index[] =
		"{'name': 'web1', 'config': {'container': {'config': {'snapshots.keep': 'last=3',"
		" 'limits.cpu': '2', 'user.a': 'b', 'volatile.last_state.ready': 'true',"
		" 'volatile.eth0.host_name': 'x', 'volatile.eth0.hwaddr': '00:16:3e:00:00:01'},"
		" 'snapshots': [{'config': {'boot.autorestart': 'true'}}]}}}";
	static const char wanted[] =
		"{'name': 'web1', 'config': {'container': {'config': {'user.sysctr.snapshots.keep': 'last=3',"
		" 'limits.cpu': '2', 'user.a': 'b', 'volatile.eth0.hwaddr': '00:16:3e:00:00:01'},"
		" 'snapshots': [{'config': {'user.sysctr.boot.autorestart': 'true'}}]}}}";
	char single[sizeof(index)], expected[sizeof(wanted)];
	json_t *value, *other;

	(void)state;
	for (size_t i = 0; i < sizeof(index); i++)
		single[i] = index[i] == '\'' ? '"' : index[i];
	for (size_t i = 0; i < sizeof(wanted); i++)
		expected[i] = wanted[i] == '\'' ? '"' : wanted[i];
	value = json_loads(single, 0, NULL);
	other = json_loads(expected, 0, NULL);
	assert_non_null(value);
	assert_non_null(other);
	portable_encode(value);
	assert_true(json_equal(value, other));
	json_decref(value);
	json_decref(other);
}

/* LXD and Incus know the key, but not each value. */
static void test_values(void **state)
{
	static const struct {
		const char *key, *value;
		bool refused;
	} cases[] = {
		{ "snapshots.schedule", "@daily", false },
		{ "snapshots.schedule", "@daily, @startup", false },
		{ "snapshots.schedule", "@daily,@startup", true },
		{ "snapshots.schedule", "@daily,0 5 * * *", true },
		{ "snapshots.schedule", "0,30 5 * * mon-fri", false },
		{ "snapshots.schedule", "0 5 * * 7", true },
		{ "limits.memory.swap", "false", false },
		{ "limits.memory.swap", "1GiB", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *index = json_pack("{s{ss}}", "config", cases[i].key, cases[i].value);
		const json_t *config;

		portable_encode(index);
		config = json_object_get(index, "config");
		assert_int_equal(json_object_size(config), 1);
		assert_int_equal(!json_object_get(config, cases[i].key), cases[i].refused);
		assert_string_equal(portable_decode(json_object_iter_key(
					    json_object_iter((json_t *)config))),
				    cases[i].key);
		json_decref(index);
	}
}

static void test_decode(void **state)
{
	(void)state;
	assert_string_equal(portable_decode("user.sysctr.snapshots.keep"), "snapshots.keep");
	/* nothing else hides behind it */
	assert_string_equal(portable_decode("user.sysctr.security.privileged"),
			    "user.sysctr.security.privileged");
	assert_string_equal(portable_decode("user.sysctr."), "user.sysctr.");
	assert_string_equal(portable_decode("limits.cpu"), "limits.cpu");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_decode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

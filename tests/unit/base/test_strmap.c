/* tests of base/strmap: order, replacing and removing */
#include "base/strmap.h"

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

static void assert_sane_strmap(const struct strmap *map)
{
	for (size_t i = 1; i < map->len; i++)
		assert_true(strcmp(map->items[i - 1].key, map->items[i].key) < 0);
	assert_true(map->len <= map->cap);
}

static void test_order(void **state)
{
	_cleanup_(strmap_done) struct strmap map = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++) {
		char key[8] = { (char)('a' + i * 7 % 26), (char)('a' + i * 11 % 25), 0 };

		strmap_set(&map, key, "x");
		assert_sane_strmap(&map);
		assert_true(strmap_has(&map, key));
	}
	assert_null(strmap_get(&map, "a.missing"));
}

static void test_replace_and_unset(void **state)
{
	_cleanup_(strmap_done) struct strmap map = { 0 };

	(void)state;
	strmap_set(&map, "k", "1");
	strmap_set(&map, "k", "2");
	assert_int_equal(map.len, 1);
	assert_string_equal(strmap_get(&map, "k"), "2");
	assert_true(strmap_unset(&map, "k"));
	assert_false(strmap_unset(&map, "k"));
	assert_int_equal(map.len, 0);
}

static void test_merge_and_equal(void **state)
{
	_cleanup_(strmap_done) struct strmap a = { 0 };
	_cleanup_(strmap_done) struct strmap b = { 0 };

	(void)state;
	strmap_set(&a, "x", "1");
	strmap_set(&a, "y", "1");
	strmap_set(&b, "y", "2");
	assert_false(strmap_equal(&a, &b));
	strmap_merge(&a, &b);
	assert_string_equal(strmap_get(&a, "x"), "1");
	assert_string_equal(strmap_get(&a, "y"), "2");
	strmap_merge(&b, &a);
	assert_true(strmap_equal(&a, &b));
}

static int freed;

static void count_free(void *value)
{
	freed++;
	free(value);
}

static void test_owned_values(void **state)
{
	struct strmap map = { .free_value = count_free };

	(void)state;
	strmap_set_take(&map, "a", xstrdup("1"));
	strmap_set_take(&map, "a", xstrdup("2"));
	assert_int_equal(freed, 1);
	strmap_set_take(&map, "b", xstrdup("3"));
	(void)strmap_unset(&map, "b");
	assert_int_equal(freed, 2);
	strmap_done(&map);
	assert_int_equal(freed, 3);
	assert_int_equal(map.len, 0);
}

/* The one copy of a key lives as long as some map has it. */
static void test_shared_keys(void **state)
{
	struct strmap a = { 0 }, b = { 0 };
	char key[] = "limits.cpu";

	(void)state;
	strmap_set(&a, key, "1");
	strmap_set(&b, key, "2");
	assert_ptr_equal(a.items[0].key, b.items[0].key);
	assert_ptr_not_equal(a.items[0].key, key);
	strmap_set(&b, b.items[0].key, "3"); /* nobody's second time */
	strmap_done(&a);
	key[0] = 'x';
	assert_string_equal(strmap_get(&b, "limits.cpu"), "3");
	strmap_set(&a, "limits.cpu", "4");
	assert_ptr_equal(a.items[0].key, b.items[0].key);
	assert_true(strmap_unset(&b, b.items[0].key));
	assert_string_equal(strmap_get(&a, "limits.cpu"), "4");
	assert_true(strmap_unset(&a, a.items[0].key));
	strmap_done(&a);
	strmap_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),		cmocka_unit_test(test_replace_and_unset),
		cmocka_unit_test(test_merge_and_equal), cmocka_unit_test(test_owned_values),
		cmocka_unit_test(test_shared_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

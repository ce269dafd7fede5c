/* tests of spec/idmap: raw.idmap, and the maps that come of it */
#include "spec/idmap.h"

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

static const struct idrange own = { 1000000, 65536 };

static void read_maps(const char *value, struct spec_idmaps *ret_maps)
{
	struct strmap config = { 0 };

	*ret_maps = (struct spec_idmaps){ 0 };
	strmap_set(&config, IDMAP_KEY, value);
	idmaps_from_config(&config, ret_maps);
	strmap_done(&config);
}

static void test_maps(void **state)
{
	static const struct {
		const char *value, *uid, *gid;
	} cases[] = {
		{ "", "0 1000000 65536\n", "0 1000000 65536\n" },
		{ "both 1000 1000", "0 1000000 1000\n1000 1000 1\n1001 1001001 64535\n",
		  "0 1000000 1000\n1000 1000 1\n1001 1001001 64535\n" },
		{ "uid 50-60 500-510\ngid 100 0\n", "0 1000000 500\n500 50 11\n511 1000511 65025\n",
		  "0 100 1\n1 1000001 65535\n" },
		/* in any order, at the end, side by side, all */
		{ "uid 9 65535\nuid 8 1\nuid 7 2",
		  "0 1000000 1\n1 8 1\n2 7 1\n3 1000003 65532\n65535 9 1\n", "0 1000000 65536\n" },
		{ "gid 100000-165535 0-65535", "0 1000000 65536\n", "0 100000 65536\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(freep) char *uid = NULL, *gid = NULL;
		struct spec_idmaps maps;
		struct err err = { 0 };

		if (idmap_check(IDMAP_KEY, cases[i].value, &err) < 0)
			fail_msg("%s: %s", cases[i].value, err.msg);
		read_maps(cases[i].value, &maps);
		uid = idmap_text(&maps, IDMAP_UID, &own);
		gid = idmap_text(&maps, IDMAP_GID, &own);
		assert_string_equal(uid, cases[i].uid);
		assert_string_equal(gid, cases[i].gid);
		free(maps.list.items);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *value, *words;
	} cases[] = {
		{ "both 0 0", "line 1: host id 0 is the host's root" },
		{ "both 0-5 10-15", "the host's root" },
		{ "both 1000", "must be" },
		{ "both 1000 1000 1000", "must be" },
		{ "all 1000 1000", "must be" },
		{ "both x 1000", "must be" },
		{ "both -1 1000", "must be" },
		{ "both 1000- 1000", "must be" },
		{ "both 1000 5-4", "must be" },
		{ "both 4294967295 1", "must be" },
		{ "both 4294967296 1", "must be" },
		{ "both 1000 1000\r", "must be" },
		{ "both 1000 65536", "line 1: ids inside must be below 65536" },
		{ "uid 1000-1001 65535-65536", "must be below 65536" },
		{ "both 1-2 1-3", "line 1: both ranges must have the same length" },
		{ "both 1000 1000\nuid 1000 2000", "line 2: an id is in a line before it" },
		{ "gid 1000 1000\nboth 5-9 998-1002", "line 2: an id is in a line before it" },
	};
	char many[64 * (IDMAP_PIECES_MAX + 1)] = "";
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(idmap_check(IDMAP_KEY, cases[i].value, &err), -EINVAL);
		if (!strstr(err.msg, cases[i].words))
			fail_msg("%s: %s", cases[i].value, err.msg);
	}
	for (int i = 0; i <= IDMAP_PIECES_MAX; i++)
		(void)strcat(many, "uid 1 1\n");
	assert_int_equal(idmap_check(IDMAP_KEY, many, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "at most"));
	/* the same id for users and for groups is two ids */
	assert_int_equal(idmap_check(IDMAP_KEY, "uid 1000 1000\ngid 1000 1000", &err), 0);
}

static void test_outside_of_the_containers_own(void **state)
{
	static const struct {
		const char *value;
		int result;
	} cases[] = {
		{ "both 999999 1", 0 },
		{ "both 1065536 1", 0 },
		{ "both 1000000 1", -EINVAL },
		{ "gid 999000-1000000 0-1000", -EINVAL },
		{ "both 7 1\nuid 1065535 2", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strmap config = { 0 };
		struct err err = { 0 };

		strmap_set(&config, IDMAP_KEY, cases[i].value);
		assert_int_equal(idmap_check_outside(&config, &own, &err), cases[i].result);
		strmap_done(&config);
	}
}

static void test_one_id(void **state)
{
	struct spec_idmaps maps, same, other;

	(void)state;
	read_maps("uid 50-60 500-510\ngid 100 0", &maps);
	assert_int_equal(idmap_to_host(&maps, IDMAP_UID, &own, 0), 1000000);
	assert_int_equal(idmap_to_host(&maps, IDMAP_GID, &own, 0), 100);
	assert_int_equal(idmap_to_host(&maps, IDMAP_UID, &own, 499), 1000499);
	assert_int_equal(idmap_to_host(&maps, IDMAP_UID, &own, 505), 55);
	assert_int_equal(idmap_to_host(&maps, IDMAP_UID, &own, 511), 1000511);
	assert_int_equal(idmap_to_host(&maps, IDMAP_GID, &own, 505), 1000505);
	read_maps("uid 50-60 500-510\ngid 100 0", &same);
	read_maps("uid 50-60 500-510\ngid 101 0", &other);
	assert_true(idmaps_equal(&maps, &same));
	assert_false(idmaps_equal(&maps, &other));
	other.list.len--;
	assert_false(idmaps_equal(&maps, &other));
	free(maps.list.items);
	free(same.list.items);
	free(other.list.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_outside_of_the_containers_own),
		cmocka_unit_test(test_one_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests of spec/snapshot.h: names from patterns, times from spans, lists and what changes them */
#include "spec/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/fmt.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"

static const struct tm noon = {
	.tm_year = 126, .tm_mon = 0, .tm_mday = 2, .tm_hour = 12, .tm_min = 3, .tm_sec = 4
};

static bool is_taken(void *data, const char *name)
{
	return strv_contains(data, name);
}

static void assert_name(const char *pattern, const char *const *taken, const char *expected)
{
	_cleanup_(freep) char *name =
		snapshot_make_name(pattern, &noon, 1767355384000000000, is_taken, (void *)taken);

	assert_string_equal(name, expected);
}

static void test_names(void **state)
{
	static const char *const none[] = { NULL };
	static const char *const some[] = { "snap0", "snap7", "daily", "daily-1", NULL };

	(void)state;
	assert_name("snap%d", none, "snap0");
	assert_name("snap%d", some, "snap8");
	assert_name("daily", none, "daily");
	assert_name("daily", some, "daily-2");
	assert_name("%F_%T", none, "2026-01-02_120304");
	assert_name("%Y.%m.%D-%H-%M-%S_%s", none, "2026.01.02-12-03-04_1767355384");
}

/* A4: nothing that is not listed, and no name that is none. */
static void test_patterns(void **state)
{
	static const char *const good[] = { "snap%d", "%F", "auto-%Y%m%D-%T", "a.b_c", NULL };
	static const char *const bad[] = { "",
					   "%",
					   "%x",
					   "%%",
					   "snap%",
					   "{{ creation_date }}",
					   "{% include \"/etc/passwd\" %}",
					   "../%d",
					   "a/b",
					   "-x",
					   "a b",
					   "a\nb",
					   "%n",
					   "$(id)",
					   "..",
					   NULL };

	(void)state;
	for (size_t i = 0; good[i]; i++)
		assert_int_equal(snapshot_pattern_check(good[i], NULL), 0);
	for (size_t i = 0; bad[i]; i++)
		assert_true(snapshot_pattern_check(bad[i], NULL) < 0);
}

static void assert_expiry(const char *span, const char *from, const char *expected)
{
	char text[FMT_TIME_LEN];
	int64_t from_ns, ns;

	assert_int_equal(time_parse_rfc3339(from, &from_ns), 0);
	assert_int_equal(snapshot_expiry(span, from_ns, &ns, NULL), 0);
	if (!expected)
		assert_int_equal(ns, 0);
	else
		assert_string_equal(fmt_time(text, ns), expected);
}

static void test_expiry(void **state)
{
	static const char *const bad[] = { "1",	   "d",	   "1x",
					   "-1d",  "1d2h", "1 d",
					   "1D",   "1h",   "99999999999999999999d",
					   "soon", NULL };
	int64_t ns;

	(void)state;
	assert_expiry("", "2026-01-31T10:00:00Z", NULL);
	assert_expiry("0", "2026-01-31T10:00:00Z", NULL);
	assert_expiry("5M", "2026-01-31T23:58:00Z", "2026-02-01T00:03:00.000000000Z");
	assert_expiry("2H", "2026-01-31T23:58:00Z", "2026-02-01T01:58:00.000000000Z");
	assert_expiry("3d 1w", "2026-02-20T10:00:00Z", "2026-03-02T10:00:00.000000000Z");
	assert_expiry("1m", "2026-01-31T10:00:00Z", "2026-02-28T10:00:00.000000000Z");
	assert_expiry("1m", "2028-01-31T10:00:00Z", "2028-02-29T10:00:00.000000000Z");
	assert_expiry("1y", "2028-02-29T10:00:00Z", "2029-02-28T10:00:00.000000000Z");
	assert_expiry("13m", "2026-12-05T10:00:00Z", "2028-01-05T10:00:00.000000000Z");
	assert_expiry("9000y", "2026-12-05T10:00:00Z", NULL);
	for (size_t i = 0; bad[i]; i++)
		assert_true(snapshot_expiry(bad[i], 0, &ns, NULL) < 0);
}

/* "a1 b2 ..." in that order: the names and the times of making. */
static void assert_list(size_t n, struct snap_record *const *items, const char *expected)
{
	_cleanup_(freep) char *text = xstrdup("");

	for (size_t i = 0; i < n; i++) {
		char *longer = xasprintf("%s%s%s%d", text, i > 0 ? " " : "", items[i]->name,
					 (int)items[i]->created_wall_ns);

		free(text);
		text = longer;
	}
	assert_string_equal(text, expected);
}

static void fill(struct snap_list *list, const char *text)
{
	_cleanup_(strv_freep) char **words = strv_split(text, " ");

	for (char **word = words; word && *word; word++) {
		char name[] = { (*word)[0], '\0' };
		struct snap_record *record = snap_record_new(name);

		record->created_wall_ns = atoll(*word + 1);
		record->volume = xstrdup(*word);
		snap_list_add(list, record);
	}
}

static void test_list(void **state)
{
	_cleanup_(strv_freep) char **volumes = NULL;
	struct snap_list list = { 0 };

	(void)state;
	assert_null(snap_list_volumes(&list));
	fill(&list, "b3 c5 a1 d3 e9 f4");
	assert_list(list.len, list.items, "a1 b3 d3 f4 c5 e9");
	volumes = snap_list_volumes(&list);
	assert_int_equal(strv_len(volumes), 6);
	assert_string_equal(volumes[2], "d3");
	snap_list_done(&list);
	assert_int_equal(list.len, 0);
}

struct change {
	const char *source, *copy;
	bool exclude_older;
	const char *come, *go;
};

static void test_changes(void **state)
{
	static const struct change changes[] = {
		{ "", "", false, "", "" },
		{ "a1 b2", "", false, "a1 b2", "" },
		{ "", "a1 b2", false, "", "a1 b2" },
		{ "a1 b2", "a1 b2", false, "", "" },
		{ "a1 b2 c3", "b2", false, "a1 c3", "" },
		/* the name alone is not enough, nor is the moment */
		{ "a1 b2", "a1 b3", false, "b2", "b3" },
		{ "a1 b2", "a1 c2", false, "b2", "c2" },
		{ "a2 b1", "a1 b2", false, "b1 a2", "a1 b2" },
		/* what was removed from the copy stays away; what is another one is replaced all the same */
		{ "a1 b2 c3", "b2", true, "c3", "" },
		{ "a1 b2 c2", "b2", true, "", "" },
		{ "a1 b2 c3", "b2 a7", true, "a1 c3", "a7" },
		{ "a1 b2", "", true, "a1 b2", "" },
		/* a newer one that only the copy has says nothing */
		{ "a1 b2", "z9", true, "a1 b2", "z9" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		const struct change *change = &changes[i];
		struct snap_list source = { 0 }, copy = { 0 };
		struct snap_changes found;

		fill(&source, change->source);
		fill(&copy, change->copy);
		snap_changes_find(&source, &copy, change->exclude_older, &found);
		assert_list(found.come.len, (struct snap_record *const *)found.come.items,
			    change->come);
		assert_list(found.go.len, (struct snap_record *const *)found.go.items, change->go);
		snap_changes_done(&found);
		snap_list_done(&source);
		snap_list_done(&copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_expiry),	cmocka_unit_test(test_list),
		cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

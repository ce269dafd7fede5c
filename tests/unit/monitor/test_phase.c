/* tests of monitor/phase and of the start's tables */
#include "monitor/phase.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "monitor/child.h"
#include "monitor/start.h"

static int count(void *data, struct err *err)
{
	(void)err;
	++*(int *)data;
	return 0;
}

static int refuse(void *data, struct err *err)
{
	(void)data;
	return err_set(err, -ENOENT, "open \"x\"");
}

static void test_run(void **state)
{
	static const struct phase phases[] = {
		{ "one", count, false },
		{ "two", refuse, false },
		{ "three", count, false },
		{ NULL, NULL, false },
	};
	char area[32] = "";
	const struct title title = { .start = area, .size = sizeof(area) };
	const struct phase_run run = { .program = "p", .inst = "web1", .title = &title };
	struct err err = { 0 };
	int calls = 0;

	(void)state;
	assert_int_equal(phase_run_all(phases, &run, &calls, &err), -ENOENT);
	assert_string_equal(err.msg, "two: open \"x\": No such file or directory");
	assert_int_equal(calls, 1);
	assert_string_equal(area, "p [web1] two");
}

static void check_table(const struct phase *phases, const char *const *order)
{
	size_t found = 0;

	for (const struct phase *phase = phases; phase->name; phase++) {
		assert_non_null(phase->run);
		assert_true(str_only(phase->name, "abcdefghijklmnopqrstuvwxyz0123456789-"));
		assert_true(strlen(phase->name) < 24);
		for (const struct phase *other = phases; other != phase; other++)
			assert_string_not_equal(other->name, phase->name);
		if (order[found] && streq(order[found], phase->name))
			found++;
	}
	assert_null(order[found]);
}

/* Orders that the kernel or security demand; the reasons stand in the phases. */
static void test_tables(void **state)
{
	static const char *const prepare[] = { "take-name", "open-log", NULL };
	static const char *const life[] = { "make-cgroup", "clone",   "map-ids",    "make-root",
					    "set-limits",  "release", "await-exec", NULL };
	static const char *const child[] = {
		"await-ids",
		"become-root",
		"private-mounts",
		"join-v1-cgroups",
		"unshare-cgroup",
		"take-root",
		"mount-proc-sys-dev",
		"make-console",
		"pivot",
		"sysctls",
		"masks",
		"share-mounts",
		"caps",
		"seccomp",
		"exec",
		NULL,
	};

	(void)state;
	check_table(start_prepare_phases(), prepare);
	check_table(start_life_phases(), life);
	check_table(child_phases(), child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

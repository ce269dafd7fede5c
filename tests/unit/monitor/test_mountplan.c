/* tests of monitor/mountplan: what is mounted, against golden files */
#include "monitor/mountplan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../golden.h"
#include "base/str.h"
#include "os/path.h"

static void check_golden(struct mount_plan *plan, const char *name)
{
	struct buf text = { 0 };

	mount_plan_format(plan, &text);
	assert_golden(name, buf_str(&text));
	buf_done(&text);
	mount_plan_done(plan);
}

static void test_common(void **state)
{
	struct mount_plan plan;

	(void)state;
	mount_plan_make(&plan);
	check_golden(&plan, "monitor/mounts.txt");
}

static void test_masks(void **state)
{
	const struct inst_spec spec = { .privileged = true };
	struct mount_plan plan;

	(void)state;
	mount_plan_make_masks(&spec, &plan);
	check_golden(&plan, "monitor/masks-privileged.txt");
}

/* A mask on /proc would keep nested user namespaces from mounting their own procfs. */
static void test_no_masks(void **state)
{
	const struct inst_spec spec = { .id_base = 1000000, .id_count = 65536 };
	struct mount_plan plan;

	(void)state;
	mount_plan_make_masks(&spec, &plan);
	assert_int_equal(plan.steps.len, 0);
	mount_plan_done(&plan);
	mount_plan_make(&plan);
	vec_for_each(step, &plan.steps) {
		assert_null(str_after(step->target, "proc/"));
	}
	mount_plan_done(&plan);
}

/* Threats B1, B6, B7: every target can be opened without following anything. */
static void test_targets_are_plain(void **state)
{
	struct mount_plan plan;

	(void)state;
	mount_plan_make(&plan);
	assert_true(plan.steps.len > 20);
	vec_for_each(step, &plan.steps) {
		assert_true(path_is_plain(step->target));
	}
	mount_plan_done(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_common),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_targets_are_plain),
		cmocka_unit_test(test_no_masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

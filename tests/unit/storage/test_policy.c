/* tests/unit/storage/test_policy.c - storage/policy.h agrees with the drivers and the layout */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/pool.h"

static void test_names_and_caps(void **state)
{
	const char *const *names = storage_driver_names();

	(void)state;
	for (size_t i = 0; names[i]; i++) {
		uint32_t caps = ~0u;
		const struct storage_driver *driver = storage_driver_find(names[i]);
		assert_non_null(driver);
		assert_int_equal(storage_driver_caps(names[i], &caps, NULL), 0);
		assert_int_equal(caps, driver->caps);
	}
}

static void test_unknown(void **state)
{
	struct err err = { 0 };
	uint32_t caps;

	(void)state;
	assert_true(storage_driver_caps("overlayy", &caps, &err) < 0);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_non_null(strstr(err.msg, "did you mean \"overlay\""));
	assert_true(storage_driver_caps(NULL, &caps, &err) < 0);
	assert_true(storage_driver_caps("zfs", &caps, &err) < 0);
	assert_string_equal(err.msg,
			    "unknown storage driver \"zfs\"; there are overlay, btrfs, dir");
}

static void test_fill_root(void **state)
{
	struct inst_spec spec = { 0 };

	(void)state;
	assert_int_equal(storage_fill_root("overlay", "/p", "c1", "ff", &spec, NULL), 0);
	assert_int_equal(spec.root_kind, ROOT_OVERLAY);
	assert_string_equal(spec.root_path, "/p/instances/c1");
	assert_string_equal(spec.root_lower, "/p/images/ff/rootfs");
	assert_int_equal(storage_fill_root("overlay", "/p", "c1", NULL, &spec, NULL), 0);
	assert_int_equal(spec.root_kind, ROOT_DIR);
	assert_string_equal(spec.root_path, "/p/instances/c1/rootfs");
	assert_null(spec.root_lower);
	assert_int_equal(storage_fill_root("dir", "/p", "c1", "ff", &spec, NULL), 0);
	assert_int_equal(spec.root_kind, ROOT_DIR);
	assert_true(storage_fill_root("zfs", "/p", "c1", "ff", &spec, NULL) < 0);
	wire_free(&inst_spec_schema, &spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_caps),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_fill_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

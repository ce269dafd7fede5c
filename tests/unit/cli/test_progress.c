/* tests/unit/cli/test_progress.c - the words of the progress line */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/time.h"
#include "cli/progress.h"

static void test_operations(void **state)
{
	static const struct {
		const char *operation, *wanted;
	} cases[] = {
		{ "{\"description\": \"Creating instance\"}", "Creating instance (2.0s)" },
		{ "{\"description\": \"Building\", \"metadata\": {\"progress\": {\"percent\": \"50\","
		  " \"speed\": \"1048576\"}}}",
		  "Building: 50% (1.00MiB/s), 2.0s left" },
		{ "{\"metadata\": {\"download_progress\": \"rootfs: 12%\", \"progress\": {}}}",
		  "rootfs: 12%" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *operation = json_loads(cases[i].operation, 0, NULL);
		struct buf text = { 0 };

		assert_true(progress_format(operation, 2ULL * NS_PER_S, &text));
		assert_string_equal(buf_str(&text), cases[i].wanted);
		buf_done(&text);
		json_decref(operation);
	}
}

static void test_bytes(void **state)
{
	struct buf text = { 0 };

	(void)state;
	progress_format_bytes("Uploading", 1 << 20, 4 << 20, NS_PER_S, &text);
	assert_string_equal(buf_str(&text), "Uploading: 1.00MiB, 25% (1.00MiB/s, 4.0s left)");
	buf_done(&text);
	progress_format_bytes("Uploading", 100, 0, 0, &text);
	assert_string_equal(buf_str(&text), "Uploading: 100B");
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operations),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

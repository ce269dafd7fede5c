/* tests of base/uuid: form and difference */
#include "base/uuid.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_form(void **state)
{
	char a[UUID_LEN], b[UUID_LEN];

	(void)state;
	(void)uuid_new(a);
	(void)uuid_new(b);
	assert_string_not_equal(a, b);
	for (size_t i = 0; i < UUID_LEN - 1; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23)
			assert_int_equal(a[i], '-');
		else
			assert_non_null(strchr("0123456789abcdef", a[i]));
	}
	assert_int_equal(a[14], '4');
	assert_non_null(strchr("89ab", a[19]));
	assert_int_equal(a[UUID_LEN - 1], '\0');
}

static void test_valid(void **state)
{
	static const char *const wrong[] = {
		"",
		"..",
		"11111111-1111-4111-8111-11111111111",
		"11111111-1111-4111-8111-1111111111111",
		"11111111-1111-4111-8111-11111111111G",
		"11111111-1111-4111-8111-11111111111A",
		"111111111111-4111-8111-1111111111111",
		"11111111-1111-4111-81111111111111111",
		"11111111-1111-4111-8111-1111-1111111",
		"../../../../../../../../../../../etc",
	};
	char uuid[UUID_LEN];

	(void)state;
	assert_true(uuid_is_valid(uuid_new(uuid)));
	assert_true(uuid_is_valid("11111111-1111-1111-1111-111111111111"));
	assert_false(uuid_is_valid(NULL));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(uuid_is_valid(wrong[i]));
}

static void test_secret(void **state)
{
	char a[SECRET_LEN], b[SECRET_LEN];

	(void)state;
	assert_int_equal(strspn(uuid_new_secret(a), "0123456789abcdef"), SECRET_LEN - 1);
	assert_string_not_equal(a, uuid_new_secret(b));
}

static void test_hex(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x7f, 0x80, 0xff };
	char out[2 * sizeof(bytes) + 1];

	(void)state;
	assert_string_equal(hex_encode(bytes, sizeof(bytes), out), "007f80ff");
	assert_string_equal(hex_encode(bytes, 0, out), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

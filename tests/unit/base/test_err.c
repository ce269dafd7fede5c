/* tests of base/err: messages, kinds and their limits */
#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_set(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_set(&err, -ENOENT, "open \"%s\"", "/x"), -ENOENT);
	assert_string_equal(err.msg, "open \"/x\": No such file or directory");
	assert_int_equal(err.kind, ERR_INTERNAL); /* a missing file is no 404 */
	assert_int_equal(err_set(NULL, -EPERM, "nobody listens"), -EPERM);
}

static void test_wrap(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)err_kind(&err, ERR_NOT_FOUND, "no image \"%s\"", "x");
	assert_int_equal(err_wrap(&err, "launch \"%s\"", "c1"), -ENOENT);
	assert_string_equal(err.msg, "launch \"c1\": no image \"x\"");
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(err_wrap(NULL, "nothing"), -EIO);
}

static void test_http_status(void **state)
{
	static const struct {
		enum err_kind kind;
		int status, code;
	} cases[] = {
		{ ERR_INTERNAL, 500, -EIO },	       { ERR_INVALID, 400, -EINVAL },
		{ ERR_FORBIDDEN, 403, -EACCES },       { ERR_NOT_FOUND, 404, -ENOENT },
		{ ERR_CONFLICT, 409, -EEXIST },	       { ERR_PRECONDITION, 412, -ESTALE },
		{ ERR_UNSUPPORTED, 501, -EOPNOTSUPP }, { ERR_UNAVAILABLE, 503, -EBUSY },
		{ ERR_CANCELLED, 400, -ECANCELED },
	};

	(void)state;
	assert_int_equal(ARRAY_LEN(cases), ERR_KIND_MAX);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(err_http_status(cases[i].kind), cases[i].status);
		assert_int_equal(err_kind(NULL, cases[i].kind, "x"), cases[i].code);
	}
}

/* Text that does not fit is cut, never written behind the end. */
static void test_long_text(void **state)
{
	struct err err = { 0 };
	char longer[2 * sizeof(err.msg)];

	(void)state;
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	(void)err_set(&err, -EIO, "%s", longer);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	(void)err_wrap(&err, "%s", longer);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	(void)err_kind(&err, ERR_INVALID, "short");
	(void)err_wrap(&err, "%.500s", longer);
	assert_int_equal(strlen(err.msg), 500 + strlen(": short"));
}

static void test_text(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_string_equal(err_text(NULL, -ENOSPC), strerror(ENOSPC));
	assert_string_equal(err_text(&err, ENOSPC), strerror(ENOSPC));
	(void)err_kind(&err, ERR_INVALID, "words");
	assert_string_equal(err_text(&err, -ENOSPC), "words");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),	    cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_http_status), cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

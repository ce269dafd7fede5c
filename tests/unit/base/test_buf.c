/* tests of base/buf: growing, formatting and giving away */
#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void assert_sane_buf(const struct buf *buf)
{
	assert_true(buf->len <= buf->cap);
	if (buf->data)
		assert_int_equal(buf->data[buf->len], '\0');
	else
		assert_int_equal(buf->len, 0);
}

static void test_grows(void **state)
{
	_cleanup_(buf_done) struct buf buf = { 0 };
	char expected[3 * 1000 + 1];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		buf_add_char(&buf, 'a');
		buf_add_str(&buf, "b");
		buf_add(&buf, "c", 1);
		memcpy(expected + 3 * (size_t)i, "abc", 4);
		assert_sane_buf(&buf);
	}
	assert_string_equal(buf_str(&buf), expected);
}

/* Longer than any first guess of the formatter. */
static void test_formats(void **state)
{
	_cleanup_(buf_done) struct buf buf = { 0 };

	(void)state;
	buf_printf(&buf, "%s=%d;", "x", 7);
	buf_printf(&buf, "%0*d", 5000, 1);
	assert_sane_buf(&buf);
	assert_int_equal(buf.len, 4 + 5000);
	assert_memory_equal(buf.data, "x=7;0", 5);
	assert_int_equal(buf.data[buf.len - 1], '1');
}

static void test_reserve_and_consume(void **state)
{
	_cleanup_(buf_done) struct buf buf = { 0 };
	char *room;

	(void)state;
	buf_add_str(&buf, "head-");
	room = buf_reserve(&buf, 4);
	memcpy(room, "tail", 5); /* who writes there ends it, too */
	buf.len += 4;
	buf_consume(&buf, 5);
	assert_int_equal(buf.len, 4);
	assert_memory_equal(buf.data, "tail", 4);
	buf_consume(&buf, 4);
	assert_int_equal(buf.len, 0);
	assert_string_equal(buf_str(&buf), "");
}

static void test_takes(void **state)
{
	struct buf buf = { 0 };
	char *text;

	(void)state;
	text = buf_take_str(&buf);
	assert_string_equal(text, "");
	free(text);
	buf_add(&buf, "a\0b", 3);
	text = buf_take_str(&buf);
	assert_memory_equal(text, "a\0b", 4);
	free(text);
	assert_null(buf.data);
	assert_sane_buf(&buf);
	buf_done(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_reserve_and_consume),
		cmocka_unit_test(test_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests of codec/multipart */
#include "codec/multipart.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

struct sink {
	struct buf text; /* "<name|file>data</>..." */
	int fail_at;	 /* part number */
	int parts;
};

static int on_part(void *data, const char *name, const char *filename)
{
	struct sink *sink = data;

	buf_printf(&sink->text, "<%s|%s>", name, filename);
	return ++sink->parts == sink->fail_at ? -EUCLEAN : 0;
}

static int on_data(void *data, const void *bytes, size_t len)
{
	struct sink *sink = data;

	buf_add(&sink->text, bytes, len);
	return 0;
}

static int on_part_end(void *data)
{
	struct sink *sink = data;

	buf_add_str(&sink->text, "</>");
	return 0;
}

static const struct multipart_handler handler = { on_part, on_data, on_part_end };

/* Feed @text in pieces of @step bytes. Returns: what the parser said at the end. */
static int run(const char *text, size_t step, struct sink *sink, struct err *err)
{
	_cleanup_(multipart_freep) struct multipart *parser = multipart_new("BB", &handler, sink);
	size_t len = strlen(text);
	int rc = 0;

	for (size_t i = 0; i < len && rc == 0; i += step)
		rc = multipart_feed(parser, text + i, MIN(step, len - i), err);
	return rc < 0 ? rc : multipart_end(parser, err);
}

static const struct {
	const char *input;
	const char *output;
} good[] = {
	{ "--BB\r\nContent-Disposition: form-data; name=\"metadata\"; filename=\"m.tar\"\r\n\r\nMM"
	  "\r\n--BB\r\ncontent-disposition: form-data; name=\"rootfs\"; filename=\"r\"\r\n"
	  "Content-Type: application/octet-stream\r\n\r\nRR\r\n--BB--\r\n",
	  "<metadata|m.tar>MM</><rootfs|r>RR</>" },
	/* The shell importers: values without quotes, a stray semicolon, bytes behind the end. */
	{ "--BB\r\nContent-Disposition: form-data; name=metadata; filename=x;\r\n\r\nM\r\n--BB\r\n"
	  "Content-Disposition: form-data; name=rootfs;\r\n\r\nR\r\n--BB--\r\n\r\njunk --BB\r\n",
	  "<metadata|x>M</><rootfs|>R</>" },
	/* Text before the first boundary, blanks behind one, an empty part, no headers. */
	{ "hello\r\n--BB  \r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--BB\r\n\r\nx\r\n--BB--",
	  "<a|></><|>x</>" },
	/* What only looks like a boundary is data. */
	{ "--BB\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--B\r\n--\r\r\n-BB\n--BB\r\n--BB--",
	  "<a|>\r\n--B\r\n--\r\r\n-BB\n--BB</>" },
	/* A semicolon inside quotes. */
	{ "--BB\r\nContent-Disposition: form-data; filename=\"a;name=no\"; name=yes\r\n\r\nx\r\n--BB--",
	  "<yes|a;name=no>x</>" },
	{ "--BB--", "" },
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		for (size_t step = 1; step < 200; step += step < 12 ? 1 : 50) {
			struct sink sink = { 0 };

			assert_int_equal(run(good[i].input, step, &sink, NULL), 0);
			assert_string_equal(buf_str(&sink.text), good[i].output);
			buf_done(&sink.text);
		}
}

static const char *const bad[] = {
	"",
	"--BB",
	"--BB\r\nContent-Disposition: form-data; name=a\r\n\r\nabc",
	"--BB\r\nContent-Disposition: form-data; name=a\r\n\r\nabc\r\n--BB",
	"--BBx\r\n\r\nx\r\n--BB--",
	"--B\r\n\r\nx\r\n--B--",
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		for (size_t step = 1; step < 100; step += 13) {
			struct sink sink = { 0 };
			struct err err = { 0 };

			assert_int_equal(run(bad[i], step, &sink, &err), -EINVAL);
			assert_int_equal(err.kind, ERR_INVALID);
			buf_done(&sink.text);
		}
}

static void test_limits(void **state)
{
	struct buf text = { 0 };
	struct sink sink = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_add_str(&text, "--BB\r\nX: ");
	for (int i = 0; i < MULTIPART_HEADER_MAX; i++)
		buf_add_char(&text, 'x');
	assert_int_equal(run(buf_str(&text), 1000, &sink, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "too long"));
	buf_done(&text);
	for (int i = 0; i <= MULTIPART_PARTS_MAX; i++)
		buf_add_str(&text, "\r\n--BB\r\n\r\nx");
	assert_int_equal(run(buf_str(&text), 1000, &sink, &err), -EINVAL);
	assert_int_equal(sink.parts, MULTIPART_PARTS_MAX);
	buf_done(&text);
	buf_done(&sink.text);
	/* A callback's error is the parser's. */
	sink = (struct sink){ .fail_at = 2 };
	assert_int_equal(run(good[0].input, 7, &sink, NULL), -EUCLEAN);
	buf_done(&sink.text);
}

static void check_boundary(const char *content_type, const char *expected)
{
	_cleanup_(freep) char *boundary = multipart_boundary(content_type);

	if (expected)
		assert_string_equal(boundary, expected);
	else
		assert_null(boundary);
}

static void test_boundary(void **state)
{
	(void)state;
	check_boundary("multipart/form-data; boundary=abc", "abc");
	check_boundary("Multipart/Form-Data;boundary=\"a b\"", "a b");
	check_boundary("multipart/form-data; charset=x; boundary=abc;", "abc");
	check_boundary("multipart/form-data; boundary=", NULL);
	check_boundary("multipart/form-data", NULL);
	check_boundary("application/octet-stream; boundary=x", NULL);
	check_boundary(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_boundary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

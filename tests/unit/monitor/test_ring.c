/* tests of monitor/ring */
#include "monitor/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
	SIZE = 16
};

static void assert_sane_ring(const struct ring *ring)
{
	assert_true(ring_oldest(ring) <= ring->end);
	assert_true(ring->end - ring_oldest(ring) <= ring->size);
	assert_true(ring->cleared <= ring->end);
}

/* Everything from @from on as text. */
static const char *read_all(const struct ring *ring, uint64_t from, char *out)
{
	const char *bytes;
	size_t len, at = 0;

	while ((len = ring_peek(ring, &from, &bytes)) > 0) {
		memcpy(out + at, bytes, len);
		at += len;
		from += len;
	}
	out[at] = '\0';
	assert_sane_ring(ring);
	return out;
}

static void put(struct ring *ring, const char *text)
{
	ring_put(ring, text, strlen(text));
	assert_sane_ring(ring);
}

static void test_keeps_the_last(void **state)
{
	char out[SIZE + 1];
	struct ring ring;

	(void)state;
	assert_int_equal(ring_init(&ring, SIZE), 0);
	assert_string_equal(read_all(&ring, 0, out), "");
	put(&ring, "0123456789");
	assert_string_equal(read_all(&ring, 0, out), "0123456789");
	assert_string_equal(read_all(&ring, 8, out), "89");
	put(&ring, "abcdefghij");
	assert_string_equal(read_all(&ring, 0, out), "456789abcdefghij");
	put(&ring, "a text that is longer than the ring is");
	assert_string_equal(read_all(&ring, 0, out), "than the ring is");
	assert_int_equal(ring.end, 20 + 38);
	ring_done(&ring);
}

static void test_clear(void **state)
{
	char out[SIZE + 1];
	struct ring ring;

	(void)state;
	assert_int_equal(ring_init(&ring, SIZE), 0);
	put(&ring, "old");
	ring_clear(&ring);
	assert_string_equal(read_all(&ring, 0, out), "");
	put(&ring, "new");
	assert_string_equal(read_all(&ring, 0, out), "new");
	ring_done(&ring);
}

static void test_tail(void **state)
{
	static const struct {
		uint32_t lines;
		size_t max_bytes;
		const char *want;
	} cases[] = {
		{ 1, SIZE, "d" },	   { 2, SIZE, "c\nd" }, { 3, SIZE, "b\nc\nd" },
		{ 9, SIZE, "a\nb\nc\nd" }, { 9, 3, "c\nd" },	{ 1, 0, "" },
	};
	char out[SIZE + 1];
	struct ring ring;

	(void)state;
	assert_int_equal(ring_init(&ring, SIZE), 0);
	assert_int_equal(ring_tail(&ring, 5, SIZE), 0);
	put(&ring, "a\nb\nc\nd");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(read_all(&ring,
					     ring_tail(&ring, cases[i].lines, cases[i].max_bytes),
					     out),
				    cases[i].want);
	/* The newline that ends the last line begins none. */
	put(&ring, "\n");
	assert_string_equal(read_all(&ring, ring_tail(&ring, 1, SIZE), out), "d\n");
	ring_done(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_the_last),
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

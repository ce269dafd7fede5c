/* tests of codec/wire: round trips, truncation at every byte, hostile lengths */
#include "codec/wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/strmap.h"
#include "base/vec.h"

struct item {
	char *name;
	uint32_t n;
};

static const struct wire_field item_fields[] = {
	{ 1, WIRE_STR, offsetof(struct item, name), NULL },
	{ 2, WIRE_U32, offsetof(struct item, n), NULL },
};
static WIRE_SCHEMA(item, item_fields);

struct all {
	bool flag;
	uint32_t u32;
	int32_t i32;
	uint64_t u64;
	int64_t i64;
	char *str, *empty, *none;
	char **strv;
	struct strmap map;
	struct buf bytes;
	struct item one;
	VEC(struct item) many;
};

static const struct wire_field all_fields[] = {
	{ 1, WIRE_BOOL, offsetof(struct all, flag), NULL },
	{ 2, WIRE_U32, offsetof(struct all, u32), NULL },
	{ 3, WIRE_I32, offsetof(struct all, i32), NULL },
	{ 4, WIRE_U64, offsetof(struct all, u64), NULL },
	{ 5, WIRE_I64, offsetof(struct all, i64), NULL },
	{ 6, WIRE_STR, offsetof(struct all, str), NULL },
	{ 7, WIRE_STR, offsetof(struct all, empty), NULL },
	{ 8, WIRE_STR, offsetof(struct all, none), NULL },
	{ 9, WIRE_STRV, offsetof(struct all, strv), NULL },
	{ 10, WIRE_STRMAP, offsetof(struct all, map), NULL },
	{ 11, WIRE_BYTES, offsetof(struct all, bytes), NULL },
	{ 12, WIRE_STRUCT, offsetof(struct all, one), &item_schema },
	{ 13, WIRE_VEC, offsetof(struct all, many), &item_schema },
};
static WIRE_SCHEMA(all, all_fields);

/* What an older version of us knows of struct all. */
struct old {
	char *str;
};

static const struct wire_field old_fields[] = {
	{ 6, WIRE_STR, offsetof(struct old, str), NULL },
};
static WIRE_SCHEMA(old, old_fields);

static void fill(struct all *all)
{
	*all = (struct all){
		.flag = true,
		.u32 = UINT32_MAX,
		.i32 = -5,
		.u64 = UINT64_MAX,
		.i64 = INT64_MIN,
		.str = xstrdup("caf\xc3\xa9\n"),
		.empty = xstrdup(""),
	};
	strv_push(&all->strv, "a");
	strv_push(&all->strv, "");
	strv_push(&all->strv, "c");
	strmap_set(&all->map, "k", "v");
	strmap_set(&all->map, "", "");
	buf_add(&all->bytes, "a\0b", 3);
	all->one.name = xstrdup("one");
	vec_push(&all->many)->n = 7;
	(void)vec_push(&all->many);
	vec_push(&all->many)->name = xstrdup("x");
}

static void assert_filled(const struct all *all)
{
	assert_true(all->flag);
	assert_int_equal(all->u32, UINT32_MAX);
	assert_int_equal(all->i32, -5);
	assert_true(all->u64 == UINT64_MAX && all->i64 == INT64_MIN);
	assert_string_equal(all->str, "caf\xc3\xa9\n");
	assert_string_equal(all->empty, "");
	assert_null(all->none);
	assert_int_equal(strv_len(all->strv), 3);
	assert_string_equal(all->strv[1], "");
	assert_string_equal(all->strv[2], "c");
	assert_int_equal(all->map.len, 2);
	assert_string_equal(strmap_get(&all->map, "k"), "v");
	assert_string_equal(strmap_get(&all->map, ""), "");
	assert_int_equal(all->bytes.len, 3);
	assert_memory_equal(all->bytes.data, "a\0b", 3);
	assert_string_equal(all->one.name, "one");
	assert_int_equal(all->many.len, 3);
	assert_int_equal(all->many.items[0].n, 7);
	assert_null(all->many.items[1].name);
	assert_string_equal(all->many.items[2].name, "x");
}

static void test_round_trip(void **state)
{
	struct all in, out = { 0 };
	struct buf bytes = { 0 };

	(void)state;
	fill(&in);
	wire_encode(&all_schema, &in, &bytes);
	assert_int_equal(wire_decode(&all_schema, bytes.data, bytes.len, &out, NULL), 0);
	assert_filled(&out);
	wire_free(&all_schema, &out);
	assert_null(out.str);
	wire_free(&all_schema, &in);
	buf_done(&bytes);
}

static void test_zero_is_nothing(void **state)
{
	struct all in = { 0 }, out = { 0 };
	struct buf bytes = { 0 };

	(void)state;
	wire_encode(&all_schema, &in, &bytes);
	assert_int_equal(bytes.len, 0);
	assert_int_equal(wire_decode(&all_schema, NULL, 0, &out, NULL), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	buf_done(&bytes);
}

static void test_other_versions(void **state)
{
	struct all in, out = { 0 };
	struct old old = { 0 };
	struct buf bytes = { 0 };

	(void)state;
	fill(&in);
	wire_encode(&all_schema, &in, &bytes);
	assert_int_equal(wire_decode(&old_schema, bytes.data, bytes.len, &old, NULL), 0);
	assert_string_equal(old.str, in.str);
	bytes.len = 0;
	wire_encode(&old_schema, &old, &bytes);
	assert_int_equal(wire_decode(&all_schema, bytes.data, bytes.len, &out, NULL), 0);
	assert_string_equal(out.str, in.str);
	assert_null(out.strv);
	wire_free(&all_schema, &out);
	wire_free(&all_schema, &in);
	wire_free(&old_schema, &old);
	buf_done(&bytes);
}

static void test_truncation_at_every_byte(void **state)
{
	struct all in;
	struct buf bytes = { 0 };
	size_t whole = 0;

	(void)state;
	fill(&in);
	wire_encode(&all_schema, &in, &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		char *exact = xmemdup(bytes.data, len); /* so that a sanitizer sees its end */
		struct all out = { 0 };

		whole += wire_decode(&all_schema, exact, len, &out, NULL) == 0;
		wire_free(&all_schema, &out);
		free(exact);
	}
	assert_true(whole < 20); /* only between fields */
	wire_free(&all_schema, &in);
	buf_done(&bytes);
}

static void test_every_flipped_bit_is_survived(void **state)
{
	struct all in;
	struct buf bytes = { 0 };

	(void)state;
	fill(&in);
	wire_encode(&all_schema, &in, &bytes);
	for (size_t i = 0; i < bytes.len * 8; i++) {
		struct all out = { 0 };

		bytes.data[i / 8] ^= (char)(1 << i % 8);
		(void)wire_decode(&all_schema, bytes.data, bytes.len, &out, NULL);
		wire_free(&all_schema, &out);
		bytes.data[i / 8] ^= (char)(1 << i % 8);
	}
	wire_free(&all_schema, &in);
	buf_done(&bytes);
}

static void test_hostile_fields(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int result;
	} cases[] = {
		{ "\1\0\0\0\1\0\0\0\1", 9, 0 },
		{ "\1\0\0\0\1\0\0\0\2", 9, -EBADMSG },		 /* no bool */
		{ "\1\0\0\0\2\0\0\0\1\0", 10, -EBADMSG },	 /* bool too long */
		{ "\1\0\1\0\1\0\0\0\1", 9, -EBADMSG },		 /* reserved is set */
		{ "\2\0\0\0\3\0\0\0\1\1\1", 11, -EBADMSG },	 /* u32 too short */
		{ "\6\0\0\0\377\377\377\377abc", 11, -EBADMSG }, /* longer than all */
		{ "\6\0\0\0\4\0\0\0\141bc", 11, -EBADMSG },	 /* longer by one */
		{ "\6\0\0\0\3\0\0\0\141\0c", 11, -EBADMSG },	 /* NUL in a string */
		{ "\11\0\0\0\3\0\0\0\141\0c", 11, -EBADMSG },	 /* ... in a vector */
		{ "\12\0\0\0\3\0\0\0\141bc", 11, -EBADMSG },	 /* map entry, no value */
		{ "\12\0\0\0\4\0\0\0\141\0b\0", 12, -EBADMSG },	 /* two NULs */
		{ "\14\0\0\0\1\0\0\0\141", 9, -EBADMSG },	 /* inner struct cut */
		{ "\15\0\0\0\1\0\0\0\141", 9, -EBADMSG },	 /* item cut */
		{ "\377\377\0\0\3\0\0\0\141bc", 11, 0 },	 /* unknown tag */
		{ "\6\0\0\0\1\0\0\0x\6\0\0\0\1\0\0\0y", 18, 0 }, /* twice */
		{ "\14\0\0\0\0\0\0\0\14\0\0\0\0\0\0\0", 16, 0 }, /* empty struct twice */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct all out = { 0 };
		struct err err = { 0 };

		assert_int_equal(wire_decode(&all_schema, cases[i].bytes, cases[i].len, &out, &err),
				 cases[i].result);
		if (cases[i].result < 0)
			assert_non_null(strstr(err.msg, "decode all"));
		wire_free(&all_schema, &out);
	}
}

static void test_long_argv_is_linear(void **state)
{
	enum {
		N = 200000
	};
	struct all in = { 0 }, out = { 0 };
	struct buf bytes = { 0 };

	(void)state;
	in.strv = xcalloc(N + 1, sizeof(*in.strv));
	for (size_t i = 0; i < N; i++)
		in.strv[i] = xstrdup("x");
	wire_encode(&all_schema, &in, &bytes);
	assert_int_equal(wire_decode(&all_schema, bytes.data, bytes.len, &out, NULL), 0);
	assert_int_equal(strv_len(out.strv), N);
	wire_free(&all_schema, &in);
	wire_free(&all_schema, &out);
	buf_done(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_zero_is_nothing),
		cmocka_unit_test(test_other_versions),
		cmocka_unit_test(test_truncation_at_every_byte),
		cmocka_unit_test(test_every_flipped_bit_is_survived),
		cmocka_unit_test(test_hostile_fields),
		cmocka_unit_test(test_long_argv_is_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

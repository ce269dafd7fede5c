/*
 * codec/wire.c - see wire.h
 *
 * Zero values, NULL strings and empty structs are not written. Of a field that comes twice the last
 * one counts, except for the types that are lists.
 */
#include "codec/wire.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/strmap.h"
#include "base/vec.h"

enum {
	FIELD_HEADER_LEN = 8
};

/* What every VEC() looks like. */
struct any_vec {
	void *items;
	size_t len;
	size_t cap;
};

/* A field as found in the bytes. */
struct cell {
	uint16_t tag;
	size_t len;
	const char *bytes;
};

static void put_le(char *out, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (char)(unsigned char)(value >> (8 * i));
}

static uint64_t get_le(const char *bytes, size_t n)
{
	uint64_t value = 0;

	for (size_t i = n; i > 0; i--)
		value = value << 8 | (unsigned char)bytes[i - 1];
	return value;
}

/* Begin a field; returns the position that end_cell() needs to fill in the length. */
static size_t begin_cell(struct buf *out, uint16_t tag)
{
	size_t start = out->len;
	char *header = buf_reserve(out, FIELD_HEADER_LEN);

	memset(header, 0, FIELD_HEADER_LEN);
	put_le(header, tag, 2);
	out->len += FIELD_HEADER_LEN;
	return start;
}

static void end_cell(struct buf *out, size_t start)
{
	size_t len = out->len - start - FIELD_HEADER_LEN;

	assert(len <= UINT32_MAX);
	put_le(out->data + start + 4, len, 4);
}

static void add_cell(struct buf *out, uint16_t tag, const void *bytes, size_t len)
{
	size_t start = begin_cell(out, tag);

	buf_add(out, bytes, len);
	end_cell(out, start);
}

static void encode_int(struct buf *out, uint16_t tag, uint64_t value, size_t n)
{
	char bytes[8];

	if (value == 0)
		return;
	put_le(bytes, value, n);
	add_cell(out, tag, bytes, n);
}

static void encode_strv(struct buf *out, uint16_t tag, char *const *v)
{
	for (; v && *v; v++)
		add_cell(out, tag, *v, strlen(*v));
}

static void encode_strmap(struct buf *out, uint16_t tag, const struct strmap *map)
{
	assert(!map->free_value);
	strmap_for_each(entry, map)
	{
		size_t start = begin_cell(out, tag);

		buf_add(out, entry->key, strlen(entry->key) + 1);
		buf_add_str(out, entry->value);
		end_cell(out, start);
	}
}

static void encode_struct(struct buf *out, const struct wire_field *field, const void *object)
{
	size_t start = begin_cell(out, field->tag);

	wire_encode(field->sub, object, out);
	if (out->len == start + FIELD_HEADER_LEN)
		out->len = start;
	else
		end_cell(out, start);
}

static void encode_vec(struct buf *out, const struct wire_field *field, const struct any_vec *vec)
{
	for (size_t i = 0; i < vec->len; i++) {
		size_t start = begin_cell(out, field->tag);

		wire_encode(field->sub, (const char *)vec->items + i * field->sub->size, out);
		end_cell(out, start);
	}
}

static void encode_field(struct buf *out, const struct wire_field *field, const void *value)
{
	switch (field->type) {
	case WIRE_BOOL:
		encode_int(out, field->tag, *(const bool *)value, 1);
		break;
	case WIRE_U32:
	case WIRE_I32:
		encode_int(out, field->tag, *(const uint32_t *)value, 4);
		break;
	case WIRE_U64:
	case WIRE_I64:
		encode_int(out, field->tag, *(const uint64_t *)value, 8);
		break;
	case WIRE_STR:
		if (*(char *const *)value)
			add_cell(out, field->tag, *(char *const *)value,
				 strlen(*(char *const *)value));
		break;
	case WIRE_STRV:
		encode_strv(out, field->tag, *(char **const *)value);
		break;
	case WIRE_STRMAP:
		encode_strmap(out, field->tag, value);
		break;
	case WIRE_BYTES:
		if (((const struct buf *)value)->len > 0)
			add_cell(out, field->tag, ((const struct buf *)value)->data,
				 ((const struct buf *)value)->len);
		break;
	case WIRE_STRUCT:
		encode_struct(out, field, value);
		break;
	case WIRE_VEC:
		encode_vec(out, field, value);
		break;
	case WIRE_TYPE_MAX:
		break;
	}
}

void wire_encode(const struct wire_schema *schema, const void *object, struct buf *out)
{
	for (size_t i = 0; i < schema->n_fields; i++)
		encode_field(out, &schema->fields[i],
			     (const char *)object + schema->fields[i].offset);
}

/* Cut the next field off *@bytes. Returns: 0 or -EBADMSG. */
static int next_cell(const char **bytes, size_t *len, struct cell *ret_cell)
{
	size_t cell_len;

	if (*len < FIELD_HEADER_LEN || get_le(*bytes + 2, 2) != 0)
		return -EBADMSG;
	cell_len = get_le(*bytes + 4, 4);
	if (cell_len > *len - FIELD_HEADER_LEN)
		return -EBADMSG;
	*ret_cell = (struct cell){
		.tag = (uint16_t)get_le(*bytes, 2),
		.len = cell_len,
		.bytes = *bytes + FIELD_HEADER_LEN,
	};
	*bytes += FIELD_HEADER_LEN + cell_len;
	*len -= FIELD_HEADER_LEN + cell_len;
	return 0;
}

static int decode_int(const struct cell *cell, size_t n, uint64_t max, uint64_t *ret_value)
{
	uint64_t value;

	if (cell->len != n)
		return -EBADMSG;
	value = get_le(cell->bytes, n);
	if (value > max)
		return -EBADMSG;
	*ret_value = value;
	return 0;
}

static int decode_str(const struct cell *cell, char **ret_str)
{
	if (memchr(cell->bytes, '\0', cell->len))
		return -EBADMSG;
	*ret_str = xstrndup(cell->bytes, cell->len);
	return 0;
}

/*
 * Collect this field and all later ones of its tag, so that a long argv is not searched for its
 * end once per string; the later ones then find *@v set.
 */
static int decode_strv(const struct cell *first, const char *rest, size_t rest_len, char ***v)
{
	_cleanup_(strv_freep) char **all = NULL;
	struct cell cell = *first;
	size_t n = 0, room = 0;
	int r = 0;

	if (*v)
		return 0;
	for (;;) {
		if (cell.tag == first->tag) {
			if (n + 2 > room) {
				room = room ? room * 2 : 8;
				all = xrealloc(all, room * sizeof(*all));
			}
			all[n] = all[n + 1] = NULL;
			r = decode_str(&cell, &all[n++]);
		}
		if (r < 0)
			return r;
		if (rest_len == 0)
			break;
		r = next_cell(&rest, &rest_len, &cell);
		if (r < 0)
			return r;
	}
	*v = TAKE_PTR(all);
	return 0;
}

static int decode_strmap(const struct cell *cell, struct strmap *map)
{
	_cleanup_(freep) char *key = NULL, *value = NULL;
	const char *end = memchr(cell->bytes, '\0', cell->len);
	size_t key_len;

	if (!end)
		return -EBADMSG;
	key_len = (size_t)(end - cell->bytes);
	if (memchr(end + 1, '\0', cell->len - key_len - 1))
		return -EBADMSG;
	key = xstrndup(cell->bytes, key_len);
	value = xstrndup(end + 1, cell->len - key_len - 1);
	strmap_set_take(map, key, TAKE_PTR(value));
	return 0;
}

static int decode_object(const struct wire_schema *schema, const char *bytes, size_t len,
			 void *object);

static int decode_vec(const struct wire_field *field, const struct cell *cell, struct any_vec *vec)
{
	void *item;

	vec->items = vec_grow(vec->items, vec->len, &vec->cap, field->sub->size);
	item = (char *)vec->items + vec->len++ * field->sub->size;
	return decode_object(field->sub, cell->bytes, cell->len, item);
}

/* Into a field of a type that owns memory. */
static int decode_owned(const struct wire_field *field, const struct cell *cell, void *value)
{
	char *str;
	int r;

	if (field->type == WIRE_STRMAP)
		return decode_strmap(cell, value);
	if (field->type == WIRE_VEC)
		return decode_vec(field, cell, value);
	if (field->type == WIRE_STRUCT) {
		wire_free(field->sub, value);
		return decode_object(field->sub, cell->bytes, cell->len, value);
	}
	if (field->type == WIRE_BYTES) {
		buf_done(value);
		buf_add(value, cell->bytes, cell->len);
		return 0;
	}
	r = decode_str(cell, &str);
	if (r < 0)
		return r;
	free(*(char **)value);
	*(char **)value = str;
	return 0;
}

/* @rest: what follows the field. */
static int decode_field(const struct wire_field *field, const struct cell *cell, const char *rest,
			size_t rest_len, void *value)
{
	uint64_t number;
	int r = 0;

	switch (field->type) {
	case WIRE_BOOL:
		r = decode_int(cell, 1, 1, &number);
		if (r == 0)
			*(bool *)value = number;
		return r;
	case WIRE_U32:
	case WIRE_I32:
		r = decode_int(cell, 4, UINT32_MAX, &number);
		if (r == 0)
			*(uint32_t *)value = (uint32_t)number;
		return r;
	case WIRE_U64:
	case WIRE_I64:
		return decode_int(cell, 8, UINT64_MAX, value);
	case WIRE_STRV:
		return decode_strv(cell, rest, rest_len, value);
	case WIRE_STR:
	case WIRE_STRMAP:
	case WIRE_BYTES:
	case WIRE_STRUCT:
	case WIRE_VEC:
		return decode_owned(field, cell, value);
	case WIRE_TYPE_MAX:
		break;
	}
	return -EBADMSG;
}

static const struct wire_field *find_field(const struct wire_schema *schema, uint16_t tag)
{
	for (size_t i = 0; i < schema->n_fields; i++)
		if (schema->fields[i].tag == tag)
			return &schema->fields[i];
	return NULL;
}

static int decode_object(const struct wire_schema *schema, const char *bytes, size_t len,
			 void *object)
{
	while (len > 0) {
		const struct wire_field *field;
		struct cell cell;
		int r = next_cell(&bytes, &len, &cell);

		if (r < 0)
			return r;
		field = find_field(schema, cell.tag);
		if (!field)
			continue;
		r = decode_field(field, &cell, bytes, len, (char *)object + field->offset);
		if (r < 0)
			return r;
	}
	return 0;
}

int wire_decode(const struct wire_schema *schema, const void *bytes, size_t len, void *ret_object,
		struct err *err)
{
	int r = decode_object(schema, bytes, len, ret_object);

	return r < 0 ? err_set(err, r, "decode %s of %zu bytes", schema->name, len) : 0;
}

static void free_vec(const struct wire_schema *sub, struct any_vec *vec)
{
	for (size_t i = 0; i < vec->len; i++)
		wire_free(sub, (char *)vec->items + i * sub->size);
	free(vec->items);
}

static void free_field(const struct wire_field *field, void *value)
{
	switch (field->type) {
	case WIRE_STR:
		free(*(char **)value);
		break;
	case WIRE_STRV:
		strv_free(*(char ***)value);
		break;
	case WIRE_STRMAP:
		strmap_done(value);
		break;
	case WIRE_BYTES:
		buf_done(value);
		break;
	case WIRE_STRUCT:
		wire_free(field->sub, value);
		break;
	case WIRE_VEC:
		free_vec(field->sub, value);
		break;
	case WIRE_BOOL:
	case WIRE_U32:
	case WIRE_I32:
	case WIRE_U64:
	case WIRE_I64:
	case WIRE_TYPE_MAX:
		break;
	}
}

void wire_free(const struct wire_schema *schema, void *object)
{
	for (size_t i = 0; i < schema->n_fields; i++)
		free_field(&schema->fields[i], (char *)object + schema->fields[i].offset);
	memset(object, 0, schema->size);
}

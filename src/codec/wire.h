/*
 * codec/wire.h - structs as tagged bytes, described by one table per struct
 *
 * What programs of ours say to each other: instance specs, jobs, monitor messages. A schema is the
 * only place that knows a struct's encoding; encode, decode and free are derived from it.
 *
 *   W1  Append-only: a tag is never reused; unknown tags are skipped, missing ones leave zero.
 *   W2  Decoding never trusts a length: every field is checked against what is left.
 *
 * Encoding: repeated { u16 tag, u16 zero, u32 length, length bytes }, little endian.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum wire_type {
	WIRE_BOOL,   /* bool */
	WIRE_U32,    /* uint32_t, or an enum */
	WIRE_I32,    /* int32_t */
	WIRE_U64,    /* uint64_t */
	WIRE_I64,    /* int64_t */
	WIRE_STR,    /* char *: without NUL bytes inside; NULL is not written */
	WIRE_STRV,   /* char **: one field per string */
	WIRE_STRMAP, /* struct strmap of strings: one field per entry */
	WIRE_BYTES,  /* struct buf */
	WIRE_STRUCT, /* an embedded struct, described by sub */
	WIRE_VEC,    /* a VEC() of structs, described by sub: one field per item */
	WIRE_TYPE_MAX
};

struct wire_schema;

struct wire_field {
	uint16_t tag; /* 1 and up; unique in its schema */
	enum wire_type type;
	size_t offset;
	const struct wire_schema *sub; /* WIRE_STRUCT and WIRE_VEC */
};

struct wire_schema {
	const char *name; /* for error messages */
	size_t size;	  /* of the struct */
	const struct wire_field *fields;
	size_t n_fields;
};

/* WIRE_SCHEMA(inst_spec, inst_spec_fields): the schema "inst_spec_schema" of struct inst_spec. */
#define WIRE_SCHEMA(type, table)                   \
	const struct wire_schema type##_schema = { \
		.name = #type,                     \
		.size = sizeof(struct type),       \
		.fields = table,                   \
		.n_fields = ARRAY_LEN(table),      \
	}

/* Append the encoding of *@object. */
void wire_encode(const struct wire_schema *schema, const void *object, struct buf *out);

/*
 * Fill *@ret_object, which the caller zeroed, from @len bytes; free it with wire_free() also after
 * a failure. Errors: -EBADMSG with the schema's name.
 */
int wire_decode(const struct wire_schema *schema, const void *bytes, size_t len, void *ret_object,
		struct err *err);

/* Free what the fields own and zero the struct; the struct itself stays. */
void wire_free(const struct wire_schema *schema, void *object);

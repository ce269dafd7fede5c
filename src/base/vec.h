/* base/vec.h - typed growable arrays: "VEC(struct nic) nics;" all zero is empty */
#pragma once

#include <stddef.h>

#include "base/mem.h"

#define VEC(type)            \
	struct {             \
		type *items; \
		size_t len;  \
		size_t cap;  \
	}

/* Append one zeroed item. Returns: its address, valid until the next push. */
#define vec_push(v)                                                                   \
	((v)->items = vec_grow((v)->items, (v)->len, &(v)->cap, sizeof(*(v)->items)), \
	 &(v)->items[(v)->len++])
#define vec_for_each(item, v) \
	for (__typeof__(*(v)->items) *item = (v)->items; item < (v)->items + (v)->len; item++)

/* Room for one more, zeroed, behind @len items of @size. Returns: the array, maybe moved. */
void *vec_grow(void *items, size_t len, size_t *cap, size_t size);

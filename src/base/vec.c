/* base/vec.c - see vec.h */
#include "base/vec.h"

#include <string.h>

void *vec_grow(void *items, size_t len, size_t *cap, size_t size)
{
	if (len == *cap) {
		*cap = *cap ? *cap * 2 : 4;
		items = xrealloc(items, *cap * size);
	}
	memset((char *)items + len * size, 0, size);
	return items;
}

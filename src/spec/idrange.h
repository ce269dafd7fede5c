/* spec/idrange.h - cutting id ranges out of the host's ids, first fit (spec, pure) */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	IDRANGE_COUNT = 65536 /* ids of one container; ranges are aligned to it */
};

struct idrange {
	uint32_t base;
	uint32_t count;
};

/*
 * The lowest aligned base inside *@space for @count ids (a multiple of IDRANGE_COUNT) that touches
 * none of @used (in any order, may overlap).
 * Errors: ERR_UNAVAILABLE when all are taken.
 */
int idrange_find(const struct idrange *space, const struct idrange *used, size_t n_used,
		 uint32_t count, uint32_t *ret_base, struct err *err);

/* spec/idrange.c - see idrange.h */
#include "spec/idrange.h"

#include <stdlib.h>

#include "base/mem.h"

static int by_base(const void *a, const void *b)
{
	const struct idrange *one = a, *other = b;

	return one->base < other->base ? -1 : one->base > other->base;
}

static uint64_t align_up(uint64_t id)
{
	return (id + IDRANGE_COUNT - 1) / IDRANGE_COUNT * IDRANGE_COUNT;
}

int idrange_find(const struct idrange *space, const struct idrange *used, size_t n_used,
		 uint32_t count, uint32_t *ret_base, struct err *err)
{
	_cleanup_(freep) struct idrange *sorted = xmemdup(used, n_used * sizeof(*used));
	uint64_t end = MIN((uint64_t)space->base + space->count, (uint64_t)UINT32_MAX);
	uint64_t base = align_up(space->base), need = align_up(count);

	if (count == 0 || count % IDRANGE_COUNT != 0)
		return err_kind(err, ERR_INVALID, "id range of %u: must be a multiple of %d", count,
				IDRANGE_COUNT);
	if (n_used > 0)
		qsort(sorted, n_used, sizeof(*sorted), by_base);
	for (size_t i = 0; i < n_used && base + need <= end; i++) {
		uint64_t used_end = (uint64_t)sorted[i].base + sorted[i].count;

		if (used_end <= base)
			continue;
		if (sorted[i].base >= base + need)
			break;
		base = align_up(used_end);
	}
	if (base + need > end)
		return err_kind(err, ERR_UNAVAILABLE,
				"no free range of %u ids between %u and %u: see idmap in "
				"sysctrd.yaml",
				count, space->base, (uint32_t)end);
	*ret_base = (uint32_t)base;
	return 0;
}

/* core/cpus.c - see cpus.h */
#include "core/cpus.h"

#include <sched.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"

/* Count every CPU of the list "0,3-5" in @uses. */
static void count_list(const char *list, uint32_t uses[CPU_SETSIZE])
{
	_cleanup_(strv_freep) char **parts = strv_split(list, ",");

	for (char **part = parts; part && *part; part++) {
		_cleanup_(strv_freep) char **ends = strv_split(*part, "-");
		uint64_t first, last;

		if (!ends || parse_u64(ends[0], CPU_SETSIZE - 1, &first) < 0)
			continue;
		last = first;
		if (ends[1] && parse_u64(ends[1], CPU_SETSIZE - 1, &last) < 0)
			continue;
		for (; first <= last; first++)
			uses[first]++;
	}
}

static void count_uses(struct inst *except, uint32_t uses[CPU_SETSIZE])
{
	strmap_for_each(entry, &except->core->instances)
	{
		const struct inst *inst = entry->value;

		if (inst != except && inst->cpus && inst->conn)
			count_list(inst->cpus, uses);
	}
}

static int least_used(const cpu_set_t *allowed, const uint32_t uses[CPU_SETSIZE],
		      const cpu_set_t *taken)
{
	int best = -1;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET((size_t)cpu, allowed) || CPU_ISSET((size_t)cpu, taken))
			continue;
		if (best < 0 || uses[cpu] < uses[best])
			best = cpu;
	}
	return best;
}

char *cpus_choose(struct inst *inst, uint32_t count)
{
	uint32_t uses[CPU_SETSIZE] = { 0 };
	cpu_set_t allowed, taken;
	struct buf list = { 0 };

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0 ||
	    (int)count >= CPU_COUNT(&allowed))
		return NULL;
	if (inst->cpus && inst->cpus_count == count)
		return xstrdup(inst->cpus);
	count_uses(inst, uses);
	CPU_ZERO(&taken);
	for (uint32_t i = 0; i < count; i++)
		CPU_SET((size_t)least_used(&allowed, uses, &taken), &taken);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, &taken))
			buf_printf(&list, "%s%d", list.len > 0 ? "," : "", cpu);
	inst->cpus_count = count;
	replace_str(&inst->cpus, buf_str(&list));
	return buf_take_str(&list);
}

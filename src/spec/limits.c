/* spec/limits.c - see limits.h */
#include "spec/limits.h"

#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "spec/keys.h"

enum {
	US_PER_MS = 1000,
	PERIOD_DEFAULT_US = 100000,
	PRIORITY_MAX = 10
};

static const struct wire_field limits_io_fields[] = {
	{ 1, WIRE_U32, offsetof(struct limits_io, major), NULL },
	{ 2, WIRE_U32, offsetof(struct limits_io, minor), NULL },
	{ 3, WIRE_U64, offsetof(struct limits_io, read_bytes), NULL },
	{ 4, WIRE_U64, offsetof(struct limits_io, write_bytes), NULL },
	{ 5, WIRE_U64, offsetof(struct limits_io, read_ops), NULL },
	{ 6, WIRE_U64, offsetof(struct limits_io, write_ops), NULL },
};
WIRE_SCHEMA(limits_io, limits_io_fields);

static const struct wire_field limits_fields[] = {
	{ 1, WIRE_STR, offsetof(struct limits, cpus), NULL },
	{ 2, WIRE_U32, offsetof(struct limits, cpu_weight), NULL },
	{ 3, WIRE_U64, offsetof(struct limits, cpu_quota_us), NULL },
	{ 4, WIRE_U64, offsetof(struct limits, cpu_period_us), NULL },
	{ 5, WIRE_U64, offsetof(struct limits, memory_bytes), NULL },
	{ 6, WIRE_U64, offsetof(struct limits, swap_bytes), NULL },
	{ 7, WIRE_U64, offsetof(struct limits, pids), NULL },
	{ 8, WIRE_U64, offsetof(struct limits, memory_soft_bytes), NULL },
	{ 64, WIRE_VEC, offsetof(struct limits, io), &limits_io_schema },
};
WIRE_SCHEMA(limits, limits_fields);

/* "25ms" of a checked value, in microseconds. */
static uint64_t ms_to_us(const char *text, size_t len)
{
	_cleanup_(freep) char *number = xstrndup(text, len - strlen("ms"));
	uint64_t ms = 0;

	(void)parse_u64(number, UINT32_MAX, &ms); /* keys_validate_one() has checked it */
	return ms * US_PER_MS;
}

/* The number before '%' of a checked value. */
static uint64_t percent(const char *text)
{
	_cleanup_(freep) char *number = xstrndup(text, strlen(text) - 1);
	uint64_t pct = 0;

	(void)parse_u64(number, 100, &pct);
	return pct;
}

static void apply_cpu(const struct strmap *config, struct limits *limits, uint32_t *cpu_count)
{
	const char *cpu = keys_get(config, "limits.cpu", NULL);
	const char *allowance = keys_get(config, "limits.cpu.allowance", NULL);
	int64_t priority = keys_get_int(config, "limits.cpu.priority", PRIORITY_MAX);
	uint64_t weight = LIMITS_CPU_WEIGHT_DEFAULT;
	const char *slash = allowance ? strchr(allowance, '/') : NULL;

	if (cpu && parse_u32(cpu, cpu_count) < 0)
		limits->cpus = xstrdup(cpu);
	if (slash) {
		limits->cpu_quota_us = ms_to_us(allowance, (size_t)(slash - allowance));
		limits->cpu_period_us = ms_to_us(slash + 1, strlen(slash + 1));
	} else if (allowance) {
		weight = percent(allowance);
	}
	weight = weight * (uint64_t)(priority + 1) / (PRIORITY_MAX + 1);
	limits->cpu_weight = (uint32_t)MAX(weight, 1ULL);
}

static void apply_memory(const struct strmap *config, uint64_t host_bytes, struct limits *limits)
{
	const char *memory = keys_get(config, "limits.memory", NULL);
	const char *swap = keys_get(config, "limits.memory.swap", NULL);
	const char *enforce = keys_get(config, "limits.memory.enforce", "hard");
	uint64_t bytes = LIMIT_NONE;
	bool may_swap;

	if (memory && str_ends_with(memory, "%"))
		bytes = host_bytes / 100 * percent(memory);
	else if (memory)
		(void)parse_bytes(memory, &bytes);
	if (streq(enforce, "soft"))
		limits->memory_soft_bytes = bytes;
	else
		limits->memory_bytes = bytes;
	if (!swap)
		return;
	if (parse_bool(swap, &may_swap) == 0)
		limits->swap_bytes = may_swap ? LIMIT_NONE : 0;
	else
		(void)parse_bytes(swap, &limits->swap_bytes);
}

int limits_from_config(const struct strmap *config, uint64_t host_memory_bytes,
		       struct limits *ret_limits, uint32_t *ret_cpu_count, struct err *err)
{
	struct limits limits = {
		.cpu_quota_us = LIMIT_NONE,
		.cpu_period_us = PERIOD_DEFAULT_US,
		.memory_bytes = LIMIT_NONE,
		.memory_soft_bytes = LIMIT_NONE,
		.swap_bytes = LIMIT_NONE,
	};
	uint32_t cpu_count = 0;

	strmap_for_each(entry, config)
	{
		int r = str_after(entry->key, "limits.")
				? keys_validate_one(entry->key, entry->value, err)
				: 0;

		if (r < 0)
			return r;
	}
	apply_cpu(config, &limits, &cpu_count);
	apply_memory(config, host_memory_bytes, &limits);
	limits.pids = (uint64_t)keys_get_int(config, "limits.processes", LIMITS_PIDS_DEFAULT);
	*ret_limits = limits;
	*ret_cpu_count = cpu_count;
	return 0;
}

/*
 * spec/limits.h - resource limits, resolved to what a cgroup takes
 *
 * Pure data: made from limits.* keys by spec/limits.c, applied by os/cgroup in the monitor.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "base/vec.h"
#include "codec/wire.h"

enum {
	LIMITS_CPU_WEIGHT_DEFAULT = 100,
	LIMITS_PIDS_DEFAULT = 16384, /* limits.processes unset: a fork bomb ends here */
	LIMITS_DESCENDANTS_MAX = 10000,
};

#define LIMIT_NONE UINT64_MAX

/* Of one block device of the host, in a second; each may be LIMIT_NONE. */
struct limits_io {
	uint32_t major, minor;
	uint64_t read_bytes, write_bytes;
	uint64_t read_ops, write_ops;
};
extern const struct wire_schema limits_io_schema;

struct limits {
	char *cpus;		    /* cpuset list "0-1,3"; NULL: all */
	uint32_t cpu_weight;	    /* 1..10000, cgroup2 scale */
	uint64_t cpu_quota_us;	    /* per period; LIMIT_NONE */
	uint64_t cpu_period_us;	    /* 1000..1000000 */
	uint64_t memory_bytes;	    /* LIMIT_NONE */
	uint64_t swap_bytes;	    /* swap beyond memory; LIMIT_NONE, 0: no swap */
	uint64_t pids;		    /* LIMIT_NONE */
	uint64_t memory_soft_bytes; /* memory.high: reclaim, no kill; LIMIT_NONE, 0: none */
	VEC(struct limits_io) io;   /* of its disks; not from limits.* keys */
};
extern const struct wire_schema limits_schema;

/*
 * Resolve the limits.* keys of an expanded configuration.
 *
 * @host_memory_bytes: what "50%" is half of. @ret_cpu_count: limits.cpu as a count, 0 when it is a
 * list (then in ret_limits->cpus) or unset; the caller picks that many CPUs.
 * Errors: ERR_INVALID naming key and value.
 */
int limits_from_config(const struct strmap *config, uint64_t host_memory_bytes,
		       struct limits *ret_limits, uint32_t *ret_cpu_count, struct err *err);

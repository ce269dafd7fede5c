/*
 * core/usage.h - how much a volume takes
 *
 * Layer: core. The kernel is asked where the file system counts; else a worker walks the tree.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "spec/job.h"

struct core;
struct inst;
struct op;

struct root_usage {
	uint64_t used_bytes;
	uint64_t limit_bytes; /* 0: none */
};

/* Of an instance's root. Returns: 0, or -errno when nobody counts. Plain; walks no tree. */
int root_usage(const struct inst *inst, struct root_usage *ret_usage);

/*
 * An operation that walks through @volume (JOB_CUSTOM_USAGE, JOB_INSTANCE_USAGE), to be started; its
 * metadata have "size" in bytes then. Reporting: NULL.
 */
struct op *usage_op_new(struct core *core, const char *pool, enum job_kind kind, const char *volume,
			struct err *err);

/* The same of the instance's root, started. */
int root_measure(const struct inst *inst, struct op **ret_op, struct err *err);

/*
 * core/usage.h - how much an instance's root takes, where the file system counts it
 *
 * Layer: core. Asks the kernel, which knows; never walks a tree.
 */
#pragma once

#include <stdint.h>

struct inst;

struct root_usage {
	uint64_t used_bytes;
	uint64_t limit_bytes; /* 0: none */
};

/* Returns: 0, or -errno when nobody counts. Plain. */
int root_usage(const struct inst *inst, struct root_usage *ret_usage);

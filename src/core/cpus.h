/* core/cpus.h - which CPUs "limits.cpu=N" means: the N that the fewest others are bound to (core) */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct inst;

/*
 * A cpuset list ("0,3") of @count CPUs for @inst, among those that the daemon may use.
 *
 * An instance that has a set of that size already keeps it. NULL: @count covers all CPUs.
 * Returns: new string or NULL.
 */
char *cpus_choose(struct inst *inst, uint32_t count);

/*
 * core/space.h - what is kept free for the database, however much storage work there is
 *
 * Layer: core. A database that cannot write is a daemon that cannot even delete what fills the disk.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "spec/job.h"

struct core;

/* Whether a job of the kind makes files: without space it does not begin. */
bool space_is_for(enum job_kind kind);

/* Errors: ERR_UNAVAILABLE (-ENOSPC) with both numbers when less than the reserve is free. */
int space_check(const struct core *core, struct err *err);

/*
 * What work in the pool has to leave free there, in bytes: the reserve on the file system of the
 * database; a hundredth on others, which they need for themselves; and in a pool that is a file
 * beside the database all that this may not grow by.
 */
uint64_t space_reserve(const struct core *core, const struct job_pool *pool);

/*
 * exec/enter.h - from the host into the container
 *
 * Layer exec. The helper joins and clones; the clone, whose parent is the monitor, finishes joining
 * and becomes the container's root. Everything before the final exec is non-dumpable.
 */
#pragma once

#include "base/err.h"
#include "spec/exec.h"

/*
 * Join and clone. Returns: 0 in the future command, 1 in the helper (nothing is left to do), or
 * -errno.
 */
int enter_clone(const struct exec_params *params, struct err *err);

/* In the clone: v1 groups, cgroup namespace, root of the container; close what came along. */
int enter_finish(const struct exec_params *params, struct err *err);

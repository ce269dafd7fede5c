/*
 * core/network_filter.h - the kernel's rules on what nics may send follow hooks.filters
 *
 * Layer core, in sysctrd. Does not block.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct netman;

/* @err: NULL when the kernel has the rules. */
typedef void (*netman_filters_fn)(void *data, const struct err *err);

/*
 * What hooks.filters tells has changed. Returns: true when the kernel has it already, false when
 * @done (NULL: nobody waits) will be called; never from inside of this, and not after the close.
 */
bool netman_filters_apply(struct netman *nm, netman_filters_fn done, void *data);

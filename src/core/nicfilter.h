/*
 * core/nicfilter.h - what the nics of instances may send, and waiting until the kernel knows
 *
 * Layer: core. Rules are there before the nic is, and go after it: whoever changes what they follow
 * from asks for them first, and once more when it is over.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct core;
struct inst;
struct net_filters;
struct op;

/* Add those of @inst as it is now in memory; an address that is not known yet is none. */
void nicfilter_add(const struct inst *inst, struct net_filters *filters);

/* For the hook of the network manager: of all that run, start or are being edited. */
void nicfilter_collect(void *data, struct net_filters *filters);

/* Filters of @inst may be needed no longer, or others; nobody waits. Cheap when it has none. */
void nicfilter_changed(const struct inst *inst);

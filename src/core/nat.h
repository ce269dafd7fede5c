/*
 * core/nat.h - the proxy devices that the kernel does (nat=true): whose ports and to which address
 *
 * Layer: core. An instance's address is the one that its network keeps for it, or ipv4.address and
 * ipv6.address of the nic. Rules follow core/nicfilter.h.
 *
 *   NA1  A port of the host is one instance's only: the second is refused when it starts or is edited.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct inst;
struct net_dnats;

/* Add those of @inst as it is now in memory; one without an address is left out. */
void nat_add(const struct inst *inst, struct net_dnats *dnats);

/*
 * Whether each of its rules has an address to lead to, and a port that is nobody's yet.
 * @edited: a nic that is new may not have its address yet.
 * Errors: ERR_INVALID, ERR_CONFLICT naming the device and the other instance.
 */
int nat_check(const struct inst *inst, bool edited, struct err *err);

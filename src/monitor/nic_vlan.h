/*
 * monitor/nic_vlan.h - the VLANs that a bridge's port is in
 *
 * Layer: monitor. They go with the port.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct netlink;
struct spec_nic;

bool nic_has_vlans(const struct spec_nic *nic);

/*
 * Of a pair that is there. A bridge of ours tells VLANs apart from the first such nic on.
 *
 * Errors: ERR_UNSUPPORTED when the kernel cannot; ERR_INVALID for a bridge that others manage which
 * does not.
 */
int nic_join_vlans(struct netlink *nl, const struct spec_nic *nic, struct err *err);

/*
 * monitor/nic_lent.h - nics that are no pairs: macvlans, VLANs, and interfaces that the host lends
 *
 * Layer: monitor. A macvlan or VLAN dies with the container's network namespace. What is lent is given back
 * by nics_give_back() while that is still there; what was not in it any more, because the guest had
 * it elsewhere, comes by the kernel and is looked for by nics_await_back().
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct mon;
struct netlink;
struct spec_nic;

int nic_attach_child(struct mon *mon, struct netlink *nl, const struct spec_nic *nic,
		     struct err *err);
int nic_attach_physical(struct mon *mon, const struct spec_nic *nic, struct err *err);

/* While the container runs; one that the guest deleted is success. */
int nic_detach_child(struct mon *mon, const struct spec_nic *nic, struct err *err);
int nic_detach_physical(struct mon *mon, const struct spec_nic *nic, struct err *err);

/* The end of a life. */
void nics_give_back(struct mon *mon);

/* After it, for at most @timeout_ms. Errors: -ETIMEDOUT naming the interface. */
int nics_await_back(struct mon *mon, uint32_t timeout_ms, struct err *err);

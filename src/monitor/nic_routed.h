/*
 * monitor/nic_routed.h - nics that the host has routes to (os/nicroute.h)
 *
 * Layer: monitor. The pair is made like any other; routes die with it, answers for its addresses are
 * taken back here, and by sysctrd after a monitor that was killed.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct mon;
struct netlink;
struct spec_nic;

/* Now: those to its own end would go with a cable that is pulled. */
bool nic_has_routes(const struct spec_nic *nic);

/* Routes to its own end: they come and go with it as a whole. */
bool nic_carries_routes(const struct spec_nic *nic);

/* Of a pair that is there, at both ends. */
int nic_route(struct mon *mon, struct netlink *nl, const struct spec_nic *nic, struct err *err);
void nic_unroute(struct netlink *nl, const struct spec_nic *nic);

/* The end of a life. */
void nics_unroute(struct mon *mon);

/*
 * os/nicroute.h - what the host knows of a nic's addresses without having asked: routes to them
 *
 * Layer os; monitor and sysctrd. Subnets behind any nic, and the addresses of one that is on no bridge,
 * for which the host may answer on an interface of its own. Routes to the nic's end on the host go
 * with that; those over a bridge, and the answers, do not, and are to be taken back.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "os/netlink.h"

/* What the guest sends to. */
#define NICROUTE_HOST4 "169.254.0.1"
#define NICROUTE_HOST6 "fe80::1"

struct nicroute {
	const char *host_name; /* the nic's end on the host */
	const char *parent;    /* where the host answers for the addresses; NULL: nowhere */
	const char *address4, *address6; /* NULL: none */
	const char *subnet_link;    /* over which the subnets are: the nic's end, or its bridge */
	const char *const *subnets; /* "10.1.2.0/24", without a bit set behind; strv, NULL: none */
};

/*
 * Route to the addresses and subnets, and answer for the addresses.
 *
 * Errors: ERR_UNSUPPORTED naming a sysctl of the host's that has to be on; ERR_CONFLICT when somebody
 * has an address already; ERR_INVALID for a parent that is not there. Then nothing is left.
 */
int nicroute_up(struct netlink *nl, const struct nicroute *route, struct err *err);

/* The guest's half, @nl in its namespace: addresses, and (@gateway4, @gateway6) the default routes. */
int nicroute_up_inside(struct netlink *nl, const char *name, const struct nicroute *route,
		       bool gateway4, bool gateway6, struct err *err);

/* Takes back what does not go by itself. Harmless when it is gone, or was never there. */
void nicroute_down(struct netlink *nl, const struct nicroute *route);

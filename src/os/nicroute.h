/*
 * os/nicroute.h - the host's half of a nic that has addresses of its own without being on a bridge
 *
 * Layer os; monitor and sysctrd. The host has a route to each address, and may answer for it on an
 * interface of its own. The route goes with the nic; the answers do not, and are to be taken back.
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
};

/*
 * Route to the addresses, and answer for them.
 *
 * Errors: ERR_UNSUPPORTED naming a sysctl of the host's that has to be on; ERR_CONFLICT when somebody
 * has an address already; ERR_INVALID for a parent that is not there. Then nothing is left.
 */
int nicroute_up(struct netlink *nl, const struct nicroute *route, struct err *err);

/* The guest's half, @nl in its namespace: addresses, and (@gateway4, @gateway6) the default routes. */
int nicroute_up_inside(struct netlink *nl, const char *name, const struct nicroute *route,
		       bool gateway4, bool gateway6, struct err *err);

/* The host answers for them no more. Harmless when it did not, or has no such parent any more. */
void nicroute_down(struct netlink *nl, const struct nicroute *route);

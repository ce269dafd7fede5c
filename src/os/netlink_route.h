/*
 * os/netlink_route.h - routes of the main table, and addresses that a link answers for
 *
 * Layer os; monitor and sysctrd. As os/netlink.h, whose sockets it uses.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "os/netlink.h"

struct netlink_route {
	uint8_t family;
	uint8_t prefix_len; /* 0: the default route */
	uint8_t dst[16];
	const uint8_t
		*via; /* on the link even if no route says so; NULL: dst itself is on the link */
};

/* It goes with its link. Errors: -EEXIST when there is a route to the same already. */
int netlink_route_add(struct netlink *nl, const char *link, const struct netlink_route *route,
		      struct err *err);

/* The same one, no other. One that is not there, or of a link that is not: success. */
int netlink_route_delete(struct netlink *nl, const char *link, const struct netlink_route *route,
			 struct err *err);

/*
 * Whether the host answers on @link to those that ask who has @address (arp(7), proxy entries).
 * Adding one that is there, deleting one that is not, or of a link that is not: success.
 */
int netlink_proxy_set(struct netlink *nl, const char *link, uint8_t family,
		      const uint8_t address[16], bool add, struct err *err);

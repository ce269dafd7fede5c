/*
 * network/dnat.h - ports of the host that are an instance's: the table "inet <tag>-nat" for "nft -f -"
 *
 * Layer network, pure. One rule per proxy device and chain, however many ports it has. Connections of
 * the host itself are translated too, apart from those to the loopback, which no other machine can
 * answer; those of neighbours on the instance's own network get the host's address, because else
 * the answer would not come back through the host.
 *
 *   DN1  Addresses are written by inet_ntop(3), ports are numbers: nothing can leave its place.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "network/addr.h"
#include "spec/proxy.h"

enum {
	NET_DNAT_OWNER_LEN = 64
};

struct net_dnat {
	char instance[NET_DNAT_OWNER_LEN]; /* whose it is */
	struct proxy_addr listen;	   /* one of the host; a wildcard is any of them */
	struct proxy_addr connect;	   /* of the instance, no wildcard */
	char within[NET_CIDR_LEN];	   /* the network that is in; "" for none that we know */
};
struct net_dnats {
	VEC(struct net_dnat) list;
};

/* "<tag>-nat"; owned by the caller. */
char *net_dnat_table(const char *tag);

/* The table as a whole, or without rules its removal. */
void net_dnat_text(const char *tag, const struct net_dnats *dnats, struct buf *out);

/*
 * Whether some packet could be meant for both.
 * Returns: the first port of @a of which that is so, 0 for none.
 */
uint16_t net_dnat_overlap(const struct net_dnat *a, const struct net_dnat *b);

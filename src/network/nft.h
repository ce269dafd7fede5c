/*
 * network/nft.h - the text of our nftables tables, for "nft -f -"
 *
 * Layer network, pure. One table "inet <tag>" for all networks of the daemon, replaced as a whole in
 * one transaction: nft 1.0.6 has no "destroy", so "add; delete; table" makes it idempotent.
 */
#pragma once

#include <stddef.h>

#include <stdbool.h>

#include "base/buf.h"
#include "network/plan.h"

/* NAT, forwarding, DHCP and DNS of @plans; the table alone when there are none. */
void net_nft_text(const char *tag, const struct net_plan *const *plans, size_t plans_len,
		  struct buf *out);

/*
 * The table "bridge <tag>": nobody on our bridges but dnsmasq answers DHCP or advertises itself as a
 * router. Apart from the other one, because a kernel may lack the family.
 *
 * @by_bridge: know the bridge by its name, which not every kernel can; else each nic whose name on
 * the host we chose is guarded, and one with a host_name of its own is not.
 */
void net_nft_bridge_text(const char *tag, const struct net_plan *const *plans, size_t plans_len,
			 bool by_bridge, struct buf *out);

/* Remove one of our tables, whether it is there or not. @family: "inet" or "bridge". */
void net_nft_remove_text(const char *family, const char *tag, struct buf *out);

/* How many rules such a text makes. */
int net_nft_count_rules(const char *text);

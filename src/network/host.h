/*
 * network/host.h - what the host's network looks like: addresses, routes, uplinks, one interface
 *
 * Layer network. Reads /proc, /sys and getifaddrs(3) only; does not block. Pure parsers are marked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "network/addr.h"

struct net_prefixes4 {
	VEC(struct net_ip4) list;
};

/* IPv4 networks that a new one must not overlap: routes and addresses of the host. */
void net_host_used4(struct net_prefixes4 *ret_used);
void net_prefixes4_done(struct net_prefixes4 *prefixes);

/* Pure: add the destinations of /proc/net/route; what is not understood is left out. */
void net_host_parse_routes(const char *text, struct net_prefixes4 *prefixes);

/*
 * Pure: a prefix for each nameserver of the text of resolv.conf that a guest could reach too, which
 * those of the loopback are not. Adds to the strv.
 */
void net_host_parse_resolv_conf(const char *text, char ***servers);

/* Of /etc/resolv.conf; strv, owned by the caller. */
char **net_host_nameservers(void);

/* strv of interfaces with accept_ra=1 and forwarding off; owned by the caller. */
char **net_host_ra_uplinks(void);

struct net_host_address {
	bool ipv6;
	bool link_local;
	uint8_t prefix;
	uint32_t addr4;
	uint8_t addr6[16];
};

struct net_host_link {
	VEC(struct net_host_address) addresses;
	char hwaddr[NET_MAC_LEN];
	uint32_t mtu;
	bool up;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
	bool is_bridge;
	char bridge_id[24];
	bool stp;
	uint64_t forward_delay;
	char **ports; /* strv */
};

/* Errors: ERR_NOT_FOUND. */
int net_host_read_link(const char *ifname, struct net_host_link *ret_link, struct err *err);
void net_host_link_done(struct net_host_link *link);

/* net.bridge.bridge-nf-call-iptables is on: bridged packets pass the hooks of IP. */
bool net_host_bridge_nf(void);

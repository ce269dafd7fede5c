/*
 * network/plan.h - what one network is to be on the host, with nothing left to look up
 *
 * Layer network, pure. nft, dnsmasq and apply work from this alone.
 *
 *   P1  Every string in a plan has passed its grammar: letters, digits, ".", "-", "_" and ":" at
 *       most, so none can leave the place in nft or dnsmasq text where it is written.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "network/addr.h"

enum {
	NET_MTU_DEFAULT = 1500,
	NET_EXPIRY_DEFAULT_S = 3600,
	NET_EXPIRY_MIN_S = 120,	   /* dnsmasq takes no less */
	NET_POOL_DYNAMIC_PART = 4, /* a quarter of the pool is for clients that are no instances */
	NET_LEASES_MAX = 4096,	   /* of dnsmasq, per network */
};

enum net_dns_mode {
	NET_DNS_MANAGED, /* only instances have names */
	NET_DNS_DYNAMIC, /* foreign clients may register one, too */
	NET_DNS_NONE,	 /* a forwarder without names of its own */
	NET_DNS_MODE_MAX
};

struct net_family {
	bool enabled; /* has an address */
	bool dhcp;    /* IPv6: router advertisements with stateless DHCPv6 */
	bool nat;
	bool firewall; /* let forwarded packets, DHCP and DNS pass our table */
	bool routing;  /* turn the host's forwarding on; false: drop what is forwarded */
	char *nat_address;
};

struct net_plan {
	char *tag;
	char *bridge;
	struct net_mac hwaddr;
	uint32_t mtu;
	struct net_family v4;
	struct net_family v6;
	struct net_ip4 ip4; /* the bridge's own; its network is the network's */
	struct net_ip6 ip6;
	struct net_ranges4 pool;    /* instances are given addresses from here ... */
	struct net_ranges4 dynamic; /* ... and from here when that is full; foreign clients here */
	uint32_t gateway4;	    /* told to clients; 0: none */
	uint32_t expiry4_s;	    /* UINT32_MAX: never */
	uint32_t expiry6_s;
	bool stateful6;
	enum net_dns_mode dns_mode;
	char *domain;
	char **nameservers; /* told to clients instead of the bridge's address */
	char **search;
};

/*
 * Make a plan of a network's configuration ("auto" must have been replaced).
 * Errors: ERR_INVALID naming key and value.
 */
int net_plan_make(const char *tag, const char *bridge, const struct strmap *config,
		  struct net_plan *ret_plan, struct err *err);
void net_plan_done(struct net_plan *plan);

/* The daemon's tag: letters, digits, "-", "_"; a letter first; 15 at most. */
bool net_tag_is_valid(const char *tag);

/* RFC 1123 host name or domain: labels of letters, digits, hyphens; 253 at most. */
bool net_domain_is_valid(const char *name);

/* One label of such. */
bool net_label_is_valid(const char *name);

/* One sysctl below /proc/sys. */
struct net_sysctl {
	char *path; /* "net/ipv4/ip_forward" */
	const char *value;
};
struct net_sysctls {
	VEC(struct net_sysctl) list;
};

/*
 * In the order they must be written. @ra_uplinks: strv of interfaces whose accept_ra is 1: they
 * would lose their default route once forwarding is on (kernel documentation, ip-sysctl).
 */
void net_plan_sysctls(const struct net_plan *plan, const char *const *ra_uplinks,
		      struct net_sysctls *ret_sysctls);
void net_sysctls_done(struct net_sysctls *sysctls);

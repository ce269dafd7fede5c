/*
 * network/lease.h - dnsmasq's lease file, read as hostile input
 *
 * Layer network, pure. Clients choose the names and identifiers in it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "network/addr.h"

enum {
	NET_LEASE_FILE_MAX = 1 << 20, /* bytes read of it */
	NET_LEASE_NAME_LEN = 64
};

struct net_lease {
	int64_t expires_s; /* since 1970; 0: never */
	bool ipv6;
	bool has_mac; /* not known for IPv6 */
	struct net_mac mac;
	uint32_t addr4;
	uint8_t addr6[16];
	char name[NET_LEASE_NAME_LEN]; /* one valid label, or "" */
};
struct net_leases {
	VEC(struct net_lease) list;
	size_t left_out; /* lines not understood, or beyond the limit */
};

/* Bytes that are no lease are counted and left out; never an error. */
void net_leases_parse(const char *text, size_t len, struct net_leases *ret_leases);
void net_leases_done(struct net_leases *leases);

/*
 * network/addr.h - MAC and IP addresses: text, prefixes, pools
 *
 * Layer network, pure. Text is taken strictly: no blanks, no leading zeros in IPv4, no zone ids.
 * Parsers return 0 or -EINVAL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

enum {
	NET_MAC_LEN = 18, /* text with NUL */
	NET_IP_LEN = 46,
	NET_CIDR_LEN = 50
};

struct net_mac {
	uint8_t bytes[6];
};

/* An address within its network: 10.1.2.1/24 is addr 10.1.2.1. */
struct net_ip4 {
	uint32_t addr; /* host byte order */
	uint8_t prefix;
};
struct net_ip6 {
	uint8_t addr[16];
	uint8_t prefix;
};

/* Both ends belong to it. */
struct net_range4 {
	uint32_t first;
	uint32_t last;
};
struct net_ranges4 {
	VEC(struct net_range4) list;
};

int net_mac_parse(const char *s, struct net_mac *ret_mac);
const char *net_mac_format(char out[NET_MAC_LEN], struct net_mac mac);

/* Always the same for the same words; in the OUI of virtual machines (00:16:3e). */
struct net_mac net_mac_from_words(const char *a, const char *b);

/* Without and with "/len". */
int net_ip4_parse(const char *s, uint32_t *ret_addr);
int net_ip4_parse_cidr(const char *s, struct net_ip4 *ret_ip);
const char *net_ip4_format(char out[NET_IP_LEN], uint32_t addr);
const char *net_ip4_format_cidr(char out[NET_CIDR_LEN], struct net_ip4 ip);
uint32_t net_ip4_mask(uint8_t prefix);
uint32_t net_ip4_network(struct net_ip4 ip);
uint32_t net_ip4_broadcast(struct net_ip4 ip);
bool net_ip4_contains(struct net_ip4 net, uint32_t addr);
bool net_ip4_overlaps(struct net_ip4 a, struct net_ip4 b);

/* A host may have it: inside @net and neither its first nor its last address (/31 and /32 aside). */
bool net_ip4_is_host(struct net_ip4 net, uint32_t addr);

int net_ip6_parse(const char *s, uint8_t ret_addr[16]);
int net_ip6_parse_cidr(const char *s, struct net_ip6 *ret_ip);
const char *net_ip6_format(char out[NET_IP_LEN], const uint8_t addr[16]);
const char *net_ip6_format_cidr(char out[NET_CIDR_LEN], const struct net_ip6 *ip);
bool net_ip6_contains(const struct net_ip6 *net, const uint8_t addr[16]);

/* The first address of the network of @ip with @low added. */
void net_ip6_nth(const struct net_ip6 *ip, uint32_t low, uint8_t ret_addr[16]);

/* What a host with @mac makes of the /64 of @net by SLAAC (RFC 4291, modified EUI-64). */
void net_ip6_slaac(const struct net_ip6 *net, struct net_mac mac, uint8_t ret_addr[16]);

/* RFC 4193: fd + 40 random bits + 16 random bits of subnet, host ::1, /64. */
struct net_ip6 net_ip6_ula(const uint8_t random[7]);

/*
 * A /24 that overlaps none of @used: 10.x.y.1/24, later 172.16-31 and 192.168; @seed says where the
 * search begins.
 * Returns: 0 or -ENOSPC.
 */
int net_ip4_pick_free(const struct net_ip4 *used, size_t used_len, uint32_t seed,
		      struct net_ip4 *ret_ip);

/*
 * "10.1.2.2-10.1.2.99,10.1.2.150": each inside @net. Sorted in the result, overlaps merged.
 * Errors: -EINVAL (form), -ERANGE (outside @net or backwards).
 */
int net_ranges4_parse(const char *s, struct net_ip4 net, struct net_ranges4 *ret_ranges);
uint64_t net_ranges4_count(const struct net_ranges4 *ranges);
bool net_ranges4_contains(const struct net_ranges4 *ranges, uint32_t addr);

/* All hosts of @net but @gateway. */
void net_ranges4_of_network(struct net_ip4 net, uint32_t gateway, struct net_ranges4 *ret_ranges);

/* Cut @ranges in two: @ret_head gets the first @count addresses, @ret_tail the rest. */
void net_ranges4_split(const struct net_ranges4 *ranges, uint64_t count,
		       struct net_ranges4 *ret_head, struct net_ranges4 *ret_tail);
void net_ranges4_done(struct net_ranges4 *ranges);

/*
 * A free address, searched from a place that follows from @seed, so that a nic that comes back
 * mostly finds its old address.
 * @taken: sorted ascending. Returns: 0 or -ENOSPC.
 */
int net_ranges4_pick(const struct net_ranges4 *ranges, const uint32_t *taken, size_t taken_len,
		     uint32_t seed, uint32_t *ret_addr);

/* FNV-1a, for seeds. */
uint32_t net_hash(const void *bytes, size_t len);

/* network/addr.c - see addr.h */
#include "network/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"

enum {
	PICK_TRIES_10 = 65536, /* 10.0.0.0/24 to 10.255.255.0/24 */
	PICK_TRIES_172 = 4096,
	PICK_TRIES_192 = 256,
	CIDR_ADDR_MAX = INET6_ADDRSTRLEN
};

static const uint8_t oui[3] = { 0x00, 0x16, 0x3e };

uint32_t net_hash(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int net_mac_parse(const char *s, struct net_mac *ret_mac)
{
	struct net_mac mac;
	if (!s || strlen(s) != NET_MAC_LEN - 1)
		return -EINVAL;
	for (size_t i = 0; i < 6; i++) {
		int hi = hex_digit(s[i * 3]);
		int lo = hex_digit(s[i * 3 + 1]);
		if (hi < 0 || lo < 0 || (i < 5 && s[i * 3 + 2] != ':'))
			return -EINVAL;
		mac.bytes[i] = (uint8_t)(hi << 4 | lo);
	}
	*ret_mac = mac;
	return 0;
}

const char *net_mac_format(char out[NET_MAC_LEN], struct net_mac mac)
{
	const uint8_t *b = mac.bytes;
	(void)snprintf(out, NET_MAC_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3],
		       b[4], b[5]);
	return out;
}

struct net_mac net_mac_from_words(const char *a, const char *b)
{
	uint32_t h = net_hash(a, strlen(a)) * 31 + net_hash(b, strlen(b));
	struct net_mac mac = { { oui[0], oui[1], oui[2], (uint8_t)(h >> 16), (uint8_t)(h >> 8),
				 (uint8_t)h } };
	return mac;
}

int net_ip4_parse(const char *s, uint32_t *ret_addr)
{
	struct in_addr in;
	char again[NET_IP_LEN];
	if (!s || inet_pton(AF_INET, s, &in) != 1)
		return -EINVAL;
	if (!streq(net_ip4_format(again, ntohl(in.s_addr)), s))
		return -EINVAL;
	*ret_addr = ntohl(in.s_addr);
	return 0;
}

/* "ADDR/LEN" apart. @ret_addr has room for CIDR_ADDR_MAX. */
static int split_cidr(const char *s, uint64_t max_prefix, char *ret_addr, uint8_t *ret_prefix)
{
	const char *slash = s ? strchr(s, '/') : NULL;
	uint64_t prefix;
	if (!slash || slash - s >= CIDR_ADDR_MAX || slash[1] == '\0')
		return -EINVAL;
	if ((slash[1] == '0' && slash[2]) || parse_u64(slash + 1, max_prefix, &prefix) < 0)
		return -EINVAL;
	memcpy(ret_addr, s, (size_t)(slash - s));
	ret_addr[slash - s] = '\0';
	*ret_prefix = (uint8_t)prefix;
	return 0;
}

int net_ip4_parse_cidr(const char *s, struct net_ip4 *ret_ip)
{
	char addr[CIDR_ADDR_MAX];
	struct net_ip4 ip;
	if (split_cidr(s, 32, addr, &ip.prefix) < 0 || net_ip4_parse(addr, &ip.addr) < 0)
		return -EINVAL;
	*ret_ip = ip;
	return 0;
}

const char *net_ip4_format(char out[NET_IP_LEN], uint32_t addr)
{
	(void)snprintf(out, NET_IP_LEN, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255,
		       addr >> 8 & 255, addr & 255);
	return out;
}

const char *net_ip4_format_cidr(char out[NET_CIDR_LEN], struct net_ip4 ip)
{
	char addr[NET_IP_LEN];
	(void)snprintf(out, NET_CIDR_LEN, "%s/%u", net_ip4_format(addr, ip.addr), ip.prefix);
	return out;
}

uint32_t net_ip4_mask(uint8_t prefix)
{
	return prefix == 0 ? 0 : UINT32_MAX << (32 - prefix);
}

uint32_t net_ip4_network(struct net_ip4 ip)
{
	return ip.addr & net_ip4_mask(ip.prefix);
}

uint32_t net_ip4_broadcast(struct net_ip4 ip)
{
	return ip.addr | ~net_ip4_mask(ip.prefix);
}

bool net_ip4_contains(struct net_ip4 net, uint32_t addr)
{
	return (addr & net_ip4_mask(net.prefix)) == net_ip4_network(net);
}

bool net_ip4_overlaps(struct net_ip4 a, struct net_ip4 b)
{
	return a.prefix <= b.prefix ? net_ip4_contains(a, b.addr) : net_ip4_contains(b, a.addr);
}

bool net_ip4_is_host(struct net_ip4 net, uint32_t addr)
{
	if (!net_ip4_contains(net, addr))
		return false;
	return net.prefix >= 31 || (addr != net_ip4_network(net) && addr != net_ip4_broadcast(net));
}

int net_ip6_parse(const char *s, uint8_t ret_addr[16])
{
	struct in6_addr in;
	if (!s || inet_pton(AF_INET6, s, &in) != 1)
		return -EINVAL;
	memcpy(ret_addr, in.s6_addr, 16);
	return 0;
}

int net_ip6_parse_cidr(const char *s, struct net_ip6 *ret_ip)
{
	char addr[CIDR_ADDR_MAX];
	struct net_ip6 ip;
	if (split_cidr(s, 128, addr, &ip.prefix) < 0 || net_ip6_parse(addr, ip.addr) < 0)
		return -EINVAL;
	*ret_ip = ip;
	return 0;
}

const char *net_ip6_format(char out[NET_IP_LEN], const uint8_t addr[16])
{
	if (!inet_ntop(AF_INET6, addr, out, NET_IP_LEN))
		out[0] = '\0';
	return out;
}

const char *net_ip6_format_cidr(char out[NET_CIDR_LEN], const struct net_ip6 *ip)
{
	char addr[NET_IP_LEN];
	(void)snprintf(out, NET_CIDR_LEN, "%s/%u", net_ip6_format(addr, ip->addr), ip->prefix);
	return out;
}

static uint8_t ip6_mask_byte(uint8_t prefix, size_t i)
{
	if (prefix >= (i + 1) * 8)
		return 0xff;
	if (prefix <= i * 8)
		return 0;
	return (uint8_t)(0xff << (8 - (prefix - i * 8)));
}

bool net_ip6_contains(const struct net_ip6 *net, const uint8_t addr[16])
{
	for (size_t i = 0; i < 16; i++)
		if ((net->addr[i] ^ addr[i]) & ip6_mask_byte(net->prefix, i))
			return false;
	return true;
}

void net_ip6_nth(const struct net_ip6 *ip, uint32_t low, uint8_t ret_addr[16])
{
	for (size_t i = 0; i < 16; i++)
		ret_addr[i] = ip->addr[i] & ip6_mask_byte(ip->prefix, i);
	for (size_t i = 0; i < 4; i++)
		ret_addr[15 - i] |= (uint8_t)(low >> (8 * i));
}

void net_ip6_slaac(const struct net_ip6 *net, struct net_mac mac, uint8_t ret_addr[16])
{
	const uint8_t *b = mac.bytes;
	const uint8_t id[8] = { b[0] ^ 0x02, b[1], b[2], 0xff, 0xfe, b[3], b[4], b[5] };
	memcpy(ret_addr, net->addr, 8);
	memcpy(ret_addr + 8, id, 8);
}

struct net_ip6 net_ip6_ula(const uint8_t random[7])
{
	struct net_ip6 ip = { .prefix = 64 };
	ip.addr[0] = 0xfd;
	memcpy(ip.addr + 1, random, 7);
	ip.addr[15] = 1;
	return ip;
}

static bool overlaps_any(struct net_ip4 ip, const struct net_ip4 *used, size_t used_len)
{
	for (size_t i = 0; i < used_len; i++)
		if (used[i].prefix > 0 && net_ip4_overlaps(ip, used[i]))
			return true;
	return false;
}

int net_ip4_pick_free(const struct net_ip4 *used, size_t used_len, uint32_t seed,
		      struct net_ip4 *ret_ip)
{
	static const struct {
		uint32_t base;
		uint32_t count; /* of /24 networks */
	} blocks[] = {
		{ 10u << 24, PICK_TRIES_10 },
		{ 172u << 24 | 16u << 16, PICK_TRIES_172 },
		{ 192u << 24 | 168u << 16, PICK_TRIES_192 },
	};
	for (size_t b = 0; b < ARRAY_LEN(blocks); b++) {
		for (uint32_t i = 0; i < blocks[b].count; i++) {
			uint32_t n = (seed + i) % blocks[b].count;
			struct net_ip4 ip = { (blocks[b].base + (n << 8)) | 1, 24 };
			if (overlaps_any(ip, used, used_len))
				continue;
			*ret_ip = ip;
			return 0;
		}
	}
	return -ENOSPC;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct net_range4 *x = a;
	const struct net_range4 *y = b;
	return x->first < y->first ? -1 : x->first > y->first;
}

static void sort_and_merge(struct net_ranges4 *ranges)
{
	size_t out = 0;
	struct net_range4 *r = ranges->list.items;
	if (ranges->list.len == 0)
		return;
	qsort(r, ranges->list.len, sizeof(*r), compare_ranges);
	for (size_t i = 1; i < ranges->list.len; i++) {
		if ((uint64_t)r[i].first <= (uint64_t)r[out].last + 1)
			r[out].last = MAX(r[out].last, r[i].last);
		else
			r[++out] = r[i];
	}
	ranges->list.len = out + 1;
}

static int parse_range(char *word, struct net_ip4 net, struct net_range4 *ret_range)
{
	char *dash = strchr(word, '-');
	struct net_range4 range;
	if (dash)
		*dash = '\0';
	if (net_ip4_parse(word, &range.first) < 0)
		return -EINVAL;
	range.last = range.first;
	if (dash && net_ip4_parse(dash + 1, &range.last) < 0)
		return -EINVAL;
	if (range.last < range.first || !net_ip4_is_host(net, range.first) ||
	    !net_ip4_is_host(net, range.last))
		return -ERANGE;
	*ret_range = range;
	return 0;
}

int net_ranges4_parse(const char *s, struct net_ip4 net, struct net_ranges4 *ret_ranges)
{
	_cleanup_(strv_freep) char **words = strv_split(s, ", ");
	struct net_ranges4 ranges = { 0 };
	for (size_t i = 0; i < strv_len(words); i++) {
		int r = parse_range(words[i], net, vec_push(&ranges.list));
		if (r < 0) {
			net_ranges4_done(&ranges);
			return r;
		}
	}
	if (ranges.list.len == 0)
		return -EINVAL;
	sort_and_merge(&ranges);
	*ret_ranges = ranges;
	return 0;
}

uint64_t net_ranges4_count(const struct net_ranges4 *ranges)
{
	uint64_t count = 0;
	vec_for_each(r, &ranges->list)
		count += (uint64_t)r->last - r->first + 1;
	return count;
}

bool net_ranges4_contains(const struct net_ranges4 *ranges, uint32_t addr)
{
	vec_for_each(r, &ranges->list)
		if (addr >= r->first && addr <= r->last)
			return true;
	return false;
}

static void add_range(struct net_ranges4 *ranges, uint64_t first, uint64_t last)
{
	if (first > last)
		return;
	*vec_push(&ranges->list) = (struct net_range4){ (uint32_t)first, (uint32_t)last };
}

void net_ranges4_of_network(struct net_ip4 net, uint32_t gateway, struct net_ranges4 *ret_ranges)
{
	uint64_t first = net_ip4_network(net);
	uint64_t last = net_ip4_broadcast(net);
	*ret_ranges = (struct net_ranges4){ 0 };
	if (net.prefix < 31) {
		first++;
		last--;
	}
	if (gateway < first || gateway > last) {
		add_range(ret_ranges, first, last);
		return;
	}
	if (gateway > first)
		add_range(ret_ranges, first, (uint64_t)gateway - 1);
	add_range(ret_ranges, (uint64_t)gateway + 1, last);
}

void net_ranges4_split(const struct net_ranges4 *ranges, uint64_t count,
		       struct net_ranges4 *ret_head, struct net_ranges4 *ret_tail)
{
	*ret_head = (struct net_ranges4){ 0 };
	*ret_tail = (struct net_ranges4){ 0 };
	vec_for_each(r, &ranges->list) {
		uint64_t size = (uint64_t)r->last - r->first + 1;
		uint64_t head = MIN(count, size);
		if (head > 0)
			add_range(ret_head, r->first, r->first + head - 1);
		add_range(ret_tail, r->first + head, r->last);
		count -= head;
	}
}

void net_ranges4_done(struct net_ranges4 *ranges)
{
	free(ranges->list.items);
	*ranges = (struct net_ranges4){ 0 };
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/* The @n-th address of the ranges; @n is below their count. */
static uint32_t nth_address(const struct net_ranges4 *ranges, uint64_t n)
{
	vec_for_each(r, &ranges->list) {
		uint64_t size = (uint64_t)r->last - r->first + 1;
		if (n < size)
			return (uint32_t)(r->first + n);
		n -= size;
	}
	return 0;
}

int net_ranges4_pick(const struct net_ranges4 *ranges, const uint32_t *taken, size_t taken_len,
		     uint32_t seed, uint32_t *ret_addr)
{
	uint64_t count = net_ranges4_count(ranges);
	/* One of taken_len + 1 different addresses is free: never search further. */
	uint64_t tries = MIN(count, (uint64_t)taken_len + 1);
	for (uint64_t i = 0; i < tries; i++) {
		uint32_t addr = nth_address(ranges, (seed % count + i) % count);
		if (taken_len > 0 && bsearch(&addr, taken, taken_len, sizeof(*taken), compare_u32))
			continue;
		*ret_addr = addr;
		return 0;
	}
	return -ENOSPC;
}

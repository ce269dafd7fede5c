/*
 * network/filter.c - see filter.h
 *
 * Raw offsets are used where nft 1.0.6 has no word, or a word that first asks for a well-formed
 * header and so lets others pass: @nh,64,48 is the sender's MAC address of ARP, @th,288,48 that of
 * DHCP, @th,64,128 the target of a neighbour advertisement, @th,192 its first option.
 */
#include "network/filter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "network/nft.h"

enum {
	MAC_HEX_LEN = 12 + 1,
	IP6_HEX_LEN = 32 + 1,
	BURST_MIN = 256 * 1024, /* a few packets as big as the kernel makes them */
	BURSTS_PER_S = 10
};

bool net_filters_empty(const struct net_filters *filters)
{
	return filters->list.len == 0 && filters->dnats.list.len == 0;
}

void net_filters_done(struct net_filters *filters)
{
	free(filters->list.items);
	free(filters->dnats.list.items);
	*filters = (struct net_filters){ 0 };
}

void net_filters_add(struct net_filters *filters, const struct net_filter *filter)
{
	vec_for_each(old, &filters->list) {
		struct net_filter merged = *filter;

		if (!streq(old->host_name, filter->host_name))
			continue;
		if (!filter->senders && old->senders) {
			merged.senders = true;
			merged.mac = old->mac;
		}
		if (!filter->ipv4 && old->ipv4) {
			merged.ipv4 = true;
			merged.has4 = old->has4;
			merged.addr4 = old->addr4;
		}
		if (!filter->ipv6 && old->ipv6) {
			merged.ipv6 = true;
			merged.has6 = old->has6;
			memcpy(merged.addr6, old->addr6, sizeof(merged.addr6));
		}
		*old = merged;
		return;
	}
	*vec_push(&filters->list) = *filter;
}

void net_filters_merge(struct net_filters *filters, const struct net_filters *more)
{
	vec_for_each(filter, &more->list)
		net_filters_add(filters, filter);
	vec_for_each(dnat, &more->dnats.list)
		*vec_push(&filters->dnats.list) = *dnat;
}

char *net_filter_table(const char *tag)
{
	return xasprintf("%s-nics", tag);
}

static const char *hex(const uint8_t *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
	return out;
}

/* Also who it says it is inside of ARP, neighbour discovery and DHCP (H1, H2). */
static void add_mac_rules(const struct net_filter *filter, struct buf *out)
{
	char mac[NET_MAC_LEN], raw[MAC_HEX_LEN];

	(void)net_mac_format(mac, filter->mac);
	(void)hex(filter->mac.bytes, sizeof(filter->mac.bytes), raw);
	buf_printf(out,
		   "\t\tether saddr != %s drop\n"
		   "\t\tether type arp @nh,64,48 != 0x%s drop\n"
		   "\t\ticmpv6 type nd-router-solicit @th,64,8 1 @th,80,48 != 0x%s drop\n"
		   "\t\ticmpv6 type nd-neighbor-solicit @th,192,8 1 "
		   "@th,208,48 != 0x%s drop\n"
		   "\t\ticmpv6 type nd-neighbor-advert @th,192,8 2 @th,208,48 != 0x%s drop\n"
		   "\t\tether type ip udp dport 67 @th,288,48 != 0x%s drop\n"
		   "\t\tether type ip udp dport 67 ip frag-off & 0x3fff != 0 drop\n",
		   mac, raw, raw, raw, raw, raw);
}

static void add_ipv4_rules(const struct net_filter *filter, struct buf *out)
{
	char addr[NET_IP_LEN];

	if (!filter->has4) {
		buf_add_str(out, "\t\tether type { ip, arp } drop\n");
		return;
	}
	(void)net_ip4_format(addr, filter->addr4);
	buf_printf(out,
		   "\t\tether type arp @nh,112,32 != { 0, 0x%08x } drop\n"
		   "\t\tether type ip udp dport 68 drop\n"
		   "\t\tip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 "
		   "return\n"
		   "\t\tip saddr != %s drop\n",
		   filter->addr4, addr);
}

static void add_ipv6_rules(const struct net_filter *filter, size_t i, const uint8_t local[16],
			   struct buf *out)
{
	char addr[NET_IP_LEN], own[NET_IP_LEN];

	(void)net_ip6_format(addr, local);
	buf_printf(out, "\t\tip6 saddr != { ::, %s%s%s } drop\n", addr, filter->has6 ? ", " : "",
		   filter->has6 ? net_ip6_format(own, filter->addr6) : "");
	buf_printf(out,
		   "\t\ticmpv6 type { nd-router-advert, nd-redirect } drop\n"
		   "\t\tether type ip6 udp dport 546 drop\n"
		   "\t\ticmpv6 type nd-neighbor-advert jump n%zu-advert\n",
		   i);
}

/* What it may say to be: both of its addresses. */
static void add_advert_chain(const struct net_filter *filter, size_t i, const uint8_t local[16],
			     struct buf *out)
{
	char raw[IP6_HEX_LEN];

	buf_printf(out, "\tchain n%zu-advert {\n\t\t@th,64,128 0x%s return\n", i,
		   hex(local, 16, raw));
	if (filter->has6)
		buf_printf(out, "\t\t@th,64,128 0x%s return\n", hex(filter->addr6, 16, raw));
	buf_add_str(out, "\t\tdrop\n\t}\n");
}

static void add_limit(uint64_t bytes_per_s, struct buf *out)
{
	uint64_t burst = MIN(MAX(bytes_per_s / BURSTS_PER_S, (uint64_t)BURST_MIN), UINT32_MAX);

	buf_printf(out,
		   "\t\tlimit rate over %" PRIu64 " bytes/second burst %" PRIu64 " bytes drop\n",
		   bytes_per_s, burst);
}

static void add_chain(const struct net_filter *filter, size_t i, struct buf *out)
{
	static const struct net_ip6 link = { .addr = { 0xfe, 0x80 }, .prefix = 64 };
	uint8_t local[16];

	net_ip6_slaac(&link, filter->mac, local);
	if (filter->ipv6)
		add_advert_chain(filter, i, local, out);
	if (filter->ingress > 0) {
		buf_printf(out, "\tchain n%zu-in {\n", i);
		add_limit(filter->ingress, out);
		buf_add_str(out, "\t}\n");
	}
	buf_printf(out, "\tchain n%zu {\n", i);
	if (filter->egress > 0)
		add_limit(filter->egress, out);
	if (filter->senders)
		add_mac_rules(filter, out);
	/* In a VLAN or another wrapping no address would be looked at. */
	if (filter->ipv4 || filter->ipv6)
		buf_add_str(out, "\t\tether type != { ip, arp, ip6 } drop\n");
	if (filter->ipv4)
		add_ipv4_rules(filter, out);
	if (filter->ipv6)
		add_ipv6_rules(filter, i, local, out);
	buf_add_str(out, "\t}\n");
}

/* What a nic sends comes in at the bridge, what it receives goes out there. */
static void add_entry(const char *hook, const char *priority, const struct net_filters *filters,
		      struct buf *out)
{
	bool in = streq(hook, "postrouting");
	const char *separator = "";

	buf_printf(out, "\tchain %s {\n\t\ttype filter hook %s priority %s; policy accept;\n", hook,
		   hook, priority);
	for (size_t i = 0; i < filters->list.len; i++) {
		const struct net_filter *filter = &filters->list.items[i];

		if (in && filter->ingress == 0)
			continue;
		if (str_empty(separator))
			buf_printf(out, "\t\t%s vmap { ", in ? "oifname" : "iifname");
		buf_printf(out, "%s\"%s\" : jump n%zu%s", separator, filter->host_name, i,
			   in ? "-in" : "");
		separator = ", ";
	}
	buf_printf(out, "%s\t}\n", str_empty(separator) ? "" : " }\n");
}

void net_filter_text(const char *tag, const struct net_filters *filters, struct buf *out)
{
	_cleanup_(freep) char *table = net_filter_table(tag);

	net_nft_remove_text("bridge", table, out);
	if (filters->list.len == 0)
		return;
	buf_printf(out, "table bridge %s {\n", table);
	for (size_t i = 0; i < filters->list.len; i++)
		add_chain(&filters->list.items[i], i, out);
	add_entry("prerouting", "dstnat", filters, out);
	add_entry("postrouting", "filter", filters, out);
	buf_add_str(out, "}\n");
}

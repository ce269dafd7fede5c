/*
 * network/nft.c - see nft.h; names are safe to write by P1
 *
 * nft 1.0.6 takes names of interfaces quoted, names of tables only bare.
 */
#include "network/nft.h"

#include "base/macro.h"
#include "base/str.h"
#include "spec/nic.h"

void net_nft_remove_text(const char *family, const char *tag, struct buf *out)
{
	buf_printf(out, "add table %s %s\ndelete table %s %s\n", family, tag, family, tag);
}

static void add_set(const struct net_plan *const *plans, size_t plans_len, struct buf *out)
{
	buf_add_str(out, "\tset bridges {\n\t\ttype ifname\n");
	for (size_t i = 0; i < plans_len; i++)
		buf_printf(out, "%s\"%s\"", i == 0 ? "\t\telements = { " : ", ", plans[i]->bridge);
	if (plans_len > 0)
		buf_add_str(out, " }\n");
	buf_add_str(out, "\t}\n");
}

static void add_input(const struct net_plan *const *plans, size_t plans_len, struct buf *out)
{
	buf_add_str(out, "\tchain input {\n"
			 "\t\ttype filter hook input priority filter; policy accept;\n");
	for (size_t i = 0; i < plans_len; i++) {
		const struct net_plan *p = plans[i];
		if (p->v4.enabled && p->v4.firewall)
			buf_printf(
				out,
				"\t\tiifname \"%s\" meta nfproto ipv4 udp dport { 53, 67 } accept\n"
				"\t\tiifname \"%s\" meta nfproto ipv4 tcp dport 53 accept\n",
				p->bridge, p->bridge);
		if (p->v6.enabled && p->v6.firewall)
			buf_printf(
				out,
				"\t\tiifname \"%s\" meta nfproto ipv6 udp dport { 53, 547 } accept\n"
				"\t\tiifname \"%s\" meta nfproto ipv6 tcp dport 53 accept\n"
				"\t\tiifname \"%s\" icmpv6 type { nd-router-solicit, "
				"nd-neighbor-solicit, nd-neighbor-advert } accept\n",
				p->bridge, p->bridge, p->bridge);
	}
	buf_add_str(out, "\t}\n");
}

/* Bridged packets come here too when br_netfilter is on: they are nobody's business. */
static void add_forward_family(const char *bridge, const char *word,
			       const struct net_family *family, struct buf *out)
{
	if (!family->enabled)
		return;
	if (!family->routing)
		buf_printf(out,
			   "\t\tiifname \"%s\" oifname != \"%s\" meta nfproto %s drop\n"
			   "\t\toifname \"%s\" iifname != \"%s\" meta nfproto %s drop\n",
			   bridge, bridge, word, bridge, bridge, word);
	else if (family->firewall)
		buf_printf(out,
			   "\t\tiifname \"%s\" meta nfproto %s accept\n"
			   "\t\toifname \"%s\" meta nfproto %s accept\n",
			   bridge, word, bridge, word);
}

static void add_forward(const struct net_plan *const *plans, size_t plans_len, struct buf *out)
{
	buf_add_str(out, "\tchain forward {\n"
			 "\t\ttype filter hook forward priority filter; policy accept;\n");
	for (size_t i = 0; i < plans_len; i++) {
		const struct net_plan *p = plans[i];
		add_forward_family(p->bridge, "ipv4", &p->v4, out);
		add_forward_family(p->bridge, "ipv6", &p->v6, out);
	}
	buf_add_str(out, "\t}\n");
}

static void add_nat_rule(const char *word, const char *net, const char *nat_address,
			 struct buf *out)
{
	buf_printf(out, "\t\t%s saddr %s %s daddr != %s oifname != @bridges ", word, net, word,
		   net);
	if (nat_address)
		buf_printf(out, "snat %s to %s\n", word, nat_address);
	else
		buf_add_str(out, "masquerade\n");
}

static void add_nat(const struct net_plan *const *plans, size_t plans_len, struct buf *out)
{
	buf_add_str(out, "\tchain postrouting {\n"
			 "\t\ttype nat hook postrouting priority srcnat; policy accept;\n");
	for (size_t i = 0; i < plans_len; i++) {
		const struct net_plan *p = plans[i];
		char text[NET_CIDR_LEN];
		if (p->v4.enabled && p->v4.nat) {
			struct net_ip4 net = { net_ip4_network(p->ip4), p->ip4.prefix };
			add_nat_rule("ip", net_ip4_format_cidr(text, net), p->v4.nat_address, out);
		}
		if (p->v6.enabled && p->v6.nat) {
			struct net_ip6 net = p->ip6;
			net_ip6_nth(&p->ip6, 0, net.addr);
			add_nat_rule("ip6", net_ip6_format_cidr(text, &net), p->v6.nat_address,
				     out);
		}
	}
	buf_add_str(out, "\t}\n");
}

void net_nft_text(const char *tag, const struct net_plan *const *plans, size_t plans_len,
		  struct buf *out)
{
	net_nft_remove_text("inet", tag, out);
	buf_printf(out, "table inet %s {\n", tag);
	add_set(plans, plans_len, out);
	add_input(plans, plans_len, out);
	add_forward(plans, plans_len, out);
	add_nat(plans, plans_len, out);
	buf_add_str(out, "}\n");
}

/* What a container sends on the plan's bridge; without @by_bridge, on any nic that we named. */
static char *sender_match(const struct net_plan *plan, bool by_bridge)
{
	char prefix[NIC_PREFIX_LEN];

	return by_bridge ? xasprintf("meta ibrname \"%s\"", plan->bridge)
			 : xasprintf("iifname \"%s*\"", nic_host_prefix(plan->tag, prefix));
}

static void add_guards(const struct net_plan *plan, bool by_bridge, struct buf *out)
{
	_cleanup_(freep) char *match = sender_match(plan, by_bridge);

	if (plan->v4.enabled && plan->v4.dhcp)
		buf_printf(out, "\t\t%s ether type ip udp sport 67 udp dport 68 drop\n", match);
	if (plan->v6.enabled && plan->v6.dhcp)
		buf_printf(out,
			   "\t\t%s ether type ip6 udp sport 547 udp dport 546 drop\n"
			   "\t\t%s ether type ip6 icmpv6 type nd-router-advert drop\n",
			   match, match);
}

void net_nft_bridge_text(const char *tag, const struct net_plan *const *plans, size_t plans_len,
			 bool by_bridge, struct buf *out)
{
	net_nft_remove_text("bridge", tag, out);
	buf_printf(out,
		   "table bridge %s {\n"
		   "\tchain forward {\n"
		   "\t\ttype filter hook forward priority filter; policy accept;\n",
		   tag);
	for (size_t i = 0; i < plans_len; i++)
		add_guards(plans[i], by_bridge, out);
	buf_add_str(out, "\t}\n}\n");
}

int net_nft_count_rules(const char *text)
{
	_cleanup_(strv_freep) char **lines = strv_split(text, "\n");
	int count = 0;
	for (size_t i = 0; i < strv_len(lines); i++) {
		const char *words = str_after(lines[i], "\t\t");
		if (words && !str_after(words, "type ") && !str_after(words, "elements "))
			count++;
	}
	return count;
}

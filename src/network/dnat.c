/* network/dnat.c - see dnat.h */
#include "network/dnat.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "network/nft.h"

char *net_dnat_table(const char *tag)
{
	return xasprintf("%s-nat", tag);
}

static bool is_ipv6(const struct proxy_addr *addr)
{
	return addr->ip.ss_family == AF_INET6;
}

static const char *address(const struct proxy_addr *addr, char out[NET_IP_LEN])
{
	const void *bytes =
		is_ipv6(addr) ? (const void *)&((const struct sockaddr_in6 *)&addr->ip)->sin6_addr
			      : (const void *)&((const struct sockaddr_in *)&addr->ip)->sin_addr;

	return inet_ntop(addr->ip.ss_family, bytes, out, NET_IP_LEN);
}

static const char *family(const struct net_dnat *dnat)
{
	return is_ipv6(&dnat->listen) ? "ip6" : "ip";
}

static const char *protocol(const struct net_dnat *dnat)
{
	return dnat->listen.kind == PROXY_UDP ? "udp" : "tcp";
}

/* "{ 80, 8000-8010 }" */
static void add_ports(const struct proxy_addr *addr, struct buf *out)
{
	for (uint32_t i = 0; i < addr->n_ports;) {
		uint32_t last = i;

		while (last + 1 < addr->n_ports && addr->ports[last + 1] == addr->ports[last] + 1)
			last++;
		buf_printf(out, "%s%u", i == 0 ? "{ " : ", ", addr->ports[i]);
		if (last > i)
			buf_printf(out, "-%u", addr->ports[last]);
		i = last + 1;
	}
	buf_add_str(out, " }");
}

static bool same_ports(const struct proxy_addr *a, const struct proxy_addr *b)
{
	return a->n_ports == b->n_ports &&
	       memcmp(a->ports, b->ports, a->n_ports * sizeof(*a->ports)) == 0;
}

/* Where its port goes: nowhere else, to the one, or each to its own. */
static void add_target_port(const struct net_dnat *dnat, struct buf *out)
{
	const struct proxy_addr *from = &dnat->listen, *to = &dnat->connect;

	if (same_ports(from, to))
		return;
	if (to->n_ports == 1) {
		buf_printf(out, ":%u", to->ports[0]);
		return;
	}
	buf_printf(out, " : %s dport map ", protocol(dnat));
	for (uint32_t i = 0; i < from->n_ports; i++)
		buf_printf(out, "%s%u : %u", i == 0 ? "{ " : ", ", from->ports[i], to->ports[i]);
	buf_add_str(out, " }");
}

/* @local: for packets of the host itself. */
static void add_rule(const struct net_dnat *dnat, bool local, struct buf *out)
{
	char listen[NET_IP_LEN], to[NET_IP_LEN];

	if (!proxy_addr_is_any(&dnat->listen))
		buf_printf(out, "\t\t%s daddr %s ", family(dnat), address(&dnat->listen, listen));
	else if (!local)
		buf_printf(out, "\t\tmeta nfproto %s fib daddr type local ",
			   is_ipv6(&dnat->listen) ? "ipv6" : "ipv4");
	else
		buf_printf(out, "\t\t%s daddr != %s fib daddr type local ", family(dnat),
			   is_ipv6(&dnat->listen) ? "::1" : "127.0.0.0/8");
	buf_printf(out, "%s dport ", protocol(dnat));
	add_ports(&dnat->listen, out);
	(void)address(&dnat->connect, to);
	buf_printf(out, is_ipv6(&dnat->connect) ? " dnat ip6 to [%s]" : " dnat ip to %s", to);
	add_target_port(dnat, out);
	buf_add_char(out, '\n');
}

static void add_return_rule(const struct net_dnat *dnat, struct buf *out)
{
	char to[NET_IP_LEN];

	(void)address(&dnat->connect, to);
	buf_printf(out, "\t\t%s saddr %s %s daddr %s %s dport ", family(dnat),
		   dnat->within[0] ? dnat->within : to, family(dnat), to, protocol(dnat));
	add_ports(&dnat->connect, out);
	buf_add_str(out, " ct status dnat masquerade\n");
}

static void add_chain(const char *hook, const char *priority, struct buf *out)
{
	buf_printf(out, "\tchain %s {\n\t\ttype nat hook %s priority %s; policy accept;\n", hook,
		   hook, priority);
}

void net_dnat_text(const char *tag, const struct net_dnats *dnats, struct buf *out)
{
	_cleanup_(freep) char *table = net_dnat_table(tag);

	net_nft_remove_text("inet", table, out);
	if (dnats->list.len == 0)
		return;
	buf_printf(out, "table inet %s {\n", table);
	add_chain("prerouting", "dstnat", out);
	vec_for_each(dnat, &dnats->list)
		add_rule(dnat, false, out);
	buf_add_str(out, "\t}\n");
	add_chain("output", "-100", out);
	vec_for_each(dnat, &dnats->list)
		add_rule(dnat, true, out);
	buf_add_str(out, "\t}\n");
	add_chain("postrouting", "srcnat", out);
	vec_for_each(dnat, &dnats->list)
		add_return_rule(dnat, out);
	buf_add_str(out, "\t}\n}\n");
}

static bool same_address(const struct proxy_addr *a, const struct proxy_addr *b)
{
	char x[NET_IP_LEN], y[NET_IP_LEN];

	return streq(address(a, x), address(b, y));
}

uint16_t net_dnat_overlap(const struct net_dnat *a, const struct net_dnat *b)
{
	const struct proxy_addr *x = &a->listen, *y = &b->listen;

	if (x->kind != y->kind || x->ip.ss_family != y->ip.ss_family)
		return 0;
	if (!proxy_addr_is_any(x) && !proxy_addr_is_any(y) && !same_address(x, y))
		return 0;
	for (uint32_t i = 0; i < x->n_ports; i++)
		for (uint32_t k = 0; k < y->n_ports; k++)
			if (x->ports[i] == y->ports[k])
				return x->ports[i];
	return 0;
}

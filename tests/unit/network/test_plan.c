/* tests of network/plan, nft and dnsmasq: from a network's configuration to the texts */
#include "network/plan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../golden.h"
#include "base/buf.h"
#include "network/dnsmasq.h"
#include "network/filter.h"
#include "network/nft.h"

enum {
	PAIRS_MAX = 14
};

struct net_case {
	const char *name; /* of the golden files */
	const char *bridge;
	bool dns;
	const char *config[PAIRS_MAX]; /* key, value ... NULL */
};

static const struct net_case cases[] = {
	{ "default",
	  "sysctrbr0",
	  true,
	  { "ipv4.address", "10.1.2.1/24", "ipv6.address", "fd42:1:2:3::1/64" } },
	{ "no-dns",
	  "sysctrbr0",
	  false,
	  { "ipv4.address", "10.1.2.1/24", "ipv6.address", "none", "ipv4.nat", "false" } },
	{ "isolated", "lab.0", true, { "ipv4.address", "none", "ipv6.address", "none" } },
	{ "full",
	  "net-1",
	  true,
	  { "ipv4.address", "192.168.7.9/25", "ipv4.dhcp.ranges",
	    "192.168.7.20-192.168.7.29,192.168.7.100", "ipv4.dhcp.gateway", "192.168.7.1",
	    "dns.nameservers", "9.9.9.9,2620:fe::fe", "bridge.mtu", "1400", "dns.mode", "none" } },
	{ "stateful",
	  "br6",
	  true,
	  { "ipv6.address", "fd42:1:2:3::1/64", "ipv6.dhcp.stateful", "true", "dns.domain",
	    "lab.example", "ipv6.routing", "false", "dns.search", "a.example,b.example",
	    "ipv6.dhcp.expiry", "infinite" } },
};

static void make_config(const char *const *pairs, struct strmap *config)
{
	for (size_t i = 0; i + 1 < PAIRS_MAX && pairs[i]; i += 2)
		strmap_set(config, pairs[i], pairs[i + 1]);
}

static struct net_plan make_plan(const struct net_case *c)
{
	struct strmap config = { 0 };
	struct net_plan plan;
	struct err err = { 0 };

	make_config(c->config, &config);
	if (net_plan_make("sysctr", c->bridge, &config, &plan, &err) < 0)
		fail_msg("%s: %s", c->name, err.msg);
	strmap_done(&config);
	return plan;
}

static void check_golden(const char *what, const char *name, struct buf *text)
{
	_cleanup_(freep) char *path = xasprintf("network/%s-%s.txt", what, name);
	assert_golden(path, buf_str(text));
	buf_done(text);
}

static void test_dnsmasq_conf(void **state)
{
	static const char *const others[] = { "192.0.2.53", "2001:db8::53", NULL };
	const struct net_dnsmasq_paths paths = { "/run/x/dnsmasq.pid", "/var/lib/x/dnsmasq.leases",
						 "/run/x/dhcp-hosts", "/run/x/hosts" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_plan plan = make_plan(&cases[i]);
		struct buf text = { 0 };
		net_dnsmasq_conf(&plan, &paths, "dnsmasq", cases[i].dns, others, &text);
		check_golden("dnsmasq", cases[i].name, &text);
		net_plan_done(&plan);
	}
}

static void test_nft_each(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_plan plan = make_plan(&cases[i]);
		const struct net_plan *plans[] = { &plan };
		struct buf text = { 0 };
		net_nft_text("sysctr", plans, 1, &text);
		net_nft_bridge_text("sysctr", plans, 1, true, &text);
		check_golden("nft", cases[i].name, &text);
		net_plan_done(&plan);
	}
}

static void test_nft_together(void **state)
{
	struct net_plan a = make_plan(&cases[0]);
	struct net_plan b = make_plan(&cases[3]);
	const struct net_plan *plans[] = { &a, &b };
	struct buf text = { 0 };

	(void)state;
	net_nft_text("sysctr", plans, 2, &text);
	check_golden("nft", "together", &text);
	net_nft_text("sysctr", NULL, 0, &text);
	net_nft_remove_text("bridge", "sysctr", &text);
	check_golden("nft", "none", &text);
	net_nft_bridge_text("sysctr", plans, 1, false, &text);
	check_golden("nft", "guard-by-name", &text);
	net_plan_done(&a);
	net_plan_done(&b);
}

static struct net_filter make_filter(const char *host_name, const char *mac)
{
	struct net_filter filter = { 0 };

	(void)snprintf(filter.host_name, sizeof(filter.host_name), "%s", host_name);
	assert_int_equal(net_mac_parse(mac, &filter.mac), 0);
	return filter;
}

static void test_filters(void **state)
{
	struct net_filters filters = { 0 };
	struct net_filter a = make_filter("sysctr-aaaaaaaa", "00:16:3e:01:02:03");
	struct net_filter b = make_filter("sysctr-bbbbbbbb", "00:16:3e:01:02:04");
	struct net_filter wish = a;
	struct buf text = { 0 };

	(void)state;
	net_filter_text("sysctr", &filters, &text);
	check_golden("filter", "none", &text);
	a.senders = b.senders = true;
	b.egress = 1250000;
	b.ingress = 125000000;
	b.ipv4 = b.ipv6 = b.has6 = true;
	assert_int_equal(net_ip6_parse("fd42::5", b.addr6), 0);
	net_filters_add(&filters, &a);
	net_filters_add(&filters, &b);
	/* One that is being edited: what only the old one has counts on. */
	wish.ipv4 = wish.has4 = true;
	wish.addr4 = 0x0a010242;
	net_filters_add(&filters, &wish);
	b.ipv6 = b.has6 = false;
	net_filters_add(&filters, &b);
	assert_int_equal(filters.list.len, 2);
	net_filter_text("sysctr", &filters, &text);
	check_golden("filter", "some", &text);
	net_filters_done(&filters);
}

static struct net_dnat make_dnat(const char *instance, const char *listen, const char *connect)
{
	struct net_dnat dnat = { 0 };

	(void)snprintf(dnat.instance, sizeof(dnat.instance), "%s", instance);
	assert_int_equal(proxy_addr_parse(listen, &dnat.listen, NULL), 0);
	assert_int_equal(proxy_addr_parse(connect, &dnat.connect, NULL), 0);
	return dnat;
}

static void test_dnats(void **state)
{
	struct net_dnats dnats = { 0 };
	struct net_dnat any = make_dnat("a", "tcp:0.0.0.0:80,8000-8010", "tcp:10.1.2.9:80");
	struct net_dnat own = make_dnat("a", "udp:[fd42::1]:53-54", "udp:[fd42::9]:63-64");
	struct net_dnat one = make_dnat("b", "tcp:192.0.2.1:8005", "tcp:10.1.2.10:8005");
	struct net_dnat six = make_dnat("b", "tcp:[::]:8005", "tcp:[fd42::10]:5");
	struct buf text = { 0 };

	(void)state;
	(void)snprintf(any.within, sizeof(any.within), "10.1.2.0/24");
	net_dnat_text("sysctr", &dnats, &text);
	check_golden("dnat", "none", &text);
	*vec_push(&dnats.list) = any;
	*vec_push(&dnats.list) = own;
	*vec_push(&dnats.list) = one;
	*vec_push(&dnats.list) = six;
	net_dnat_text("sysctr", &dnats, &text);
	check_golden("dnat", "some", &text);
	assert_int_equal(net_dnat_overlap(&any, &one), 8005);
	assert_int_equal(net_dnat_overlap(&one, &any), 8005);
	assert_int_equal(net_dnat_overlap(&any, &six), 0);
	assert_int_equal(net_dnat_overlap(&any, &own), 0);
	free(dnats.list.items);
}

static void test_hosts(void **state)
{
	struct net_host hosts[2] = { { .has4 = true, .has6 = true, .addr4 = 0x0a010242 } };

	(void)state;
	assert_int_equal(net_mac_parse("00:16:3e:01:02:03", &hosts[0].mac), 0);
	assert_int_equal(net_mac_parse("00:16:3e:01:02:04", &hosts[1].mac), 0);
	assert_int_equal(net_ip6_parse("fd42:1:2:3::77", hosts[0].addr6), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i += ARRAY_LEN(cases) - 1) {
		struct net_plan plan = make_plan(&cases[i]);
		struct buf text = { 0 };
		net_dnsmasq_dhcp_hosts(&plan, "web1", hosts, 2, &text);
		buf_add_str(&text, "--\n");
		net_dnsmasq_dns_hosts(&plan, "web1", hosts, 2, &text);
		check_golden("hosts", cases[i].name, &text);
		net_plan_done(&plan);
	}
}

static void test_sysctls(void **state)
{
	static const char *const uplinks[] = { "eth0", "wlan0", "sysctrbr0", NULL };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i += 2) {
		struct net_plan plan = make_plan(&cases[i]);
		struct net_sysctls sysctls;
		struct buf text = { 0 };
		net_plan_sysctls(&plan, uplinks, &sysctls);
		vec_for_each(s, &sysctls.list)
			buf_printf(&text, "%s=%s\n", s->path, s->value);
		check_golden("sysctl", cases[i].name, &text);
		net_sysctls_done(&sysctls);
		net_plan_done(&plan);
	}
}

static void test_refusals(void **state)
{
	static const char *const rows[][2] = {
		{ "ipv4.address", "10.1.2.1" },
		{ "ipv4.address", "10.1.2.0/24" },
		{ "ipv4.address", "10.1.2.255/24" },
		{ "ipv4.address", "10.1.2.1/31" },
		{ "ipv4.address", "auto" },
		{ "ipv6.address", "fd42::1/48" },
		{ "ipv6.address", "fd42::1" },
		{ "ipv4.nat", "maybe" },
		{ "ipv4.nat.address", "1.2.3.4; drop" },
		{ "ipv6.nat.address", "1.2.3.4" },
		{ "ipv4.dhcp.expiry", "10s" },
		{ "ipv4.dhcp.expiry", "99999999999999d" },
		{ "ipv4.dhcp.expiry", "d" },
		{ "ipv4.dhcp.ranges", "10.9.9.9-10.9.9.10" },
		{ "ipv4.dhcp.gateway", "router" },
		{ "bridge.mtu", "68" },
		{ "bridge.mtu", "70000" },
		{ "bridge.hwaddr", "01:00:5e:00:00:01" },
		{ "bridge.hwaddr", "x" },
		{ "dns.domain", "a b" },
		{ "dns.domain", "a\nserver=1.2.3.4" },
		{ "dns.domain", "-a" },
		{ "dns.domain", "a..b" },
		{ "dns.search", "a,b#c" },
		{ "dns.mode", "magic" },
		{ "dns.nameservers", "ns.example" },
		{ "dns.nameservers", "9.9.9.9#53" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strmap config = { 0 };
		struct net_plan plan;
		struct err err = { 0 };
		strmap_set(&config, "ipv4.address", "10.1.2.1/24");
		strmap_set(&config, "ipv6.address", "fd42:1:2:3::1/64");
		strmap_set(&config, rows[i][0], rows[i][1]);
		if (net_plan_make("sysctr", "br0", &config, &plan, &err) == 0)
			fail_msg("%s=%s was taken", rows[i][0], rows[i][1]);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_non_null(strstr(err.msg, rows[i][0]));
		strmap_done(&config);
	}
}

static void test_names(void **state)
{
	static const char *const bad_bridges[] = { "",	   "br 0",  "br\"0",
						   "br0;", "0br",   "sixteen-letters-",
						   "br/0", "br\n0", "br{0}",
						   "br,0" };
	struct strmap config = { 0 };
	struct net_plan plan;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_bridges); i++)
		assert_int_equal(net_plan_make("sysctr", bad_bridges[i], &config, &plan, NULL),
				 -EINVAL);
	assert_int_equal(net_plan_make("a b", "br0", &config, &plan, NULL), -EINVAL);
	assert_true(net_tag_is_valid("sysctr-2"));
	assert_false(net_tag_is_valid("2sysctr"));
	assert_false(net_tag_is_valid(NULL));
	assert_true(net_domain_is_valid("a.b-c.example"));
	assert_false(net_domain_is_valid("a.b-"));
	assert_false(net_label_is_valid("a.b"));
	assert_true(net_dnsmasq_path_is_safe("/run/sysctr-2/x_y.z"));
	assert_false(net_dnsmasq_path_is_safe("/run/a b"));
	assert_false(net_dnsmasq_path_is_safe("/run/a,b"));
	assert_false(net_dnsmasq_path_is_safe("run"));
}

/* However small the pool: instances and others each get a part, and none is in both. */
static void test_pool_parts(void **state)
{
	static const char *const sizes[] = { "10.1.2.1/30", "10.1.2.1/29", "10.1.2.1/24",
					     "10.1.2.1/8" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		const struct net_case c = { sizes[i], "br0", true, { "ipv4.address", sizes[i] } };
		struct net_plan plan = make_plan(&c);
		assert_true(net_ranges4_count(&plan.pool) >= 1);
		assert_false(net_ranges4_contains(&plan.pool, plan.ip4.addr));
		assert_false(net_ranges4_contains(&plan.dynamic, plan.ip4.addr));
		assert_true(net_ranges4_count(&plan.dynamic) <= NET_LEASES_MAX);
		vec_for_each(r, &plan.dynamic.list)
			assert_false(net_ranges4_contains(&plan.pool, r->first));
		net_plan_done(&plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dnsmasq_conf), cmocka_unit_test(test_nft_each),
		cmocka_unit_test(test_nft_together), cmocka_unit_test(test_filters),
		cmocka_unit_test(test_dnats),	     cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_sysctls),	     cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_names),	     cmocka_unit_test(test_pool_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

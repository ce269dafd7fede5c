/* tests of network/addr */
#include "network/addr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

static void test_mac(void **state)
{
	static const char *const bad[] = { "",
					   "00:16:3e:01:02",
					   "00:16:3e:01:02:0",
					   "00:16:3e:01:02:0g",
					   "00-16-3e-01-02-03",
					   "00:16:3e:01:02:03:04",
					   "00:16:3e:01:02:03\n" };
	struct net_mac mac;
	char text[NET_MAC_LEN];

	(void)state;
	assert_int_equal(net_mac_parse("00:16:3E:aB:02:03", &mac), 0);
	assert_string_equal(net_mac_format(text, mac), "00:16:3e:ab:02:03");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(net_mac_parse(bad[i], &mac), -EINVAL);
	assert_int_equal(net_mac_parse(NULL, &mac), -EINVAL);
}

static void test_mac_from_words(void **state)
{
	struct net_mac a = net_mac_from_words("sysctr", "br0");
	struct net_mac b = net_mac_from_words("sysctr", "br0");
	struct net_mac c = net_mac_from_words("other", "br0");

	(void)state;
	assert_memory_equal(&a, &b, sizeof(a));
	assert_memory_not_equal(&a, &c, sizeof(a));
	assert_int_equal(a.bytes[0] & 1, 0);
}

static void test_ip4_text(void **state)
{
	static const struct {
		const char *text;
		int r;
	} rows[] = {
		{ "10.1.2.3/24", 0 },
		{ "0.0.0.0/0", 0 },
		{ "255.255.255.255/32", 0 },
		{ "10.1.2.3", -EINVAL },
		{ "10.1.2.3/", -EINVAL },
		{ "10.1.2.3/33", -EINVAL },
		{ "10.1.2.3/024", -EINVAL },
		{ "10.1.2.3/+4", -EINVAL },
		{ "10.1.2/24", -EINVAL },
		{ "10.1.2.03/24", -EINVAL },
		{ " 10.1.2.3/24", -EINVAL },
		{ "10.1.2.256/24", -EINVAL },
		{ "/24", -EINVAL },
		{ "", -EINVAL },
		{ "1111111111111111111111111111111111111111111111111111/24", -EINVAL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct net_ip4 ip;
		char text[NET_CIDR_LEN];
		assert_int_equal(net_ip4_parse_cidr(rows[i].text, &ip), rows[i].r);
		if (rows[i].r == 0)
			assert_string_equal(net_ip4_format_cidr(text, ip), rows[i].text);
	}
}

static struct net_ip4 ip4(const char *text)
{
	struct net_ip4 ip = { 0 };
	assert_int_equal(net_ip4_parse_cidr(text, &ip), 0);
	return ip;
}

static void test_ip4_networks(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		bool overlaps;
	} rows[] = {
		{ "10.1.2.1/24", "10.1.2.200/25", true }, { "10.1.2.1/24", "10.1.3.1/24", false },
		{ "10.0.0.0/8", "10.255.0.1/24", true },  { "10.1.2.1/24", "0.0.0.0/0", true },
		{ "10.1.2.1/32", "10.1.2.2/32", false },  { "10.1.2.1/32", "10.1.2.1/32", true },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(net_ip4_overlaps(ip4(rows[i].a), ip4(rows[i].b)),
				 rows[i].overlaps);
		assert_int_equal(net_ip4_overlaps(ip4(rows[i].b), ip4(rows[i].a)),
				 rows[i].overlaps);
	}
	assert_int_equal(net_ip4_network(ip4("10.1.2.77/24")), 0x0a010200);
	assert_int_equal(net_ip4_broadcast(ip4("10.1.2.77/24")), 0x0a0102ff);
	assert_int_equal(net_ip4_mask(0), 0);
	assert_int_equal(net_ip4_mask(32), UINT32_MAX);
	assert_false(net_ip4_is_host(ip4("10.1.2.1/24"), 0x0a010200));
	assert_false(net_ip4_is_host(ip4("10.1.2.1/24"), 0x0a0102ff));
	assert_false(net_ip4_is_host(ip4("10.1.2.1/24"), 0x0a010301));
	assert_true(net_ip4_is_host(ip4("10.1.2.1/24"), 0x0a010201));
	assert_true(net_ip4_is_host(ip4("10.1.2.0/31"), 0x0a010201));
}

static void test_ip6(void **state)
{
	struct net_ip6 net;
	struct net_mac mac;
	uint8_t addr[16];
	char text[NET_CIDR_LEN];

	(void)state;
	assert_int_equal(net_ip6_parse_cidr("fd42:1:2:3::1/64", &net), 0);
	assert_int_equal(net_mac_parse("00:16:3e:01:02:03", &mac), 0);
	net_ip6_slaac(&net, mac, addr);
	assert_string_equal(net_ip6_format(text, addr), "fd42:1:2:3:216:3eff:fe01:203");
	assert_true(net_ip6_contains(&net, addr));
	net_ip6_nth(&net, 0x10000, addr);
	assert_string_equal(net_ip6_format(text, addr), "fd42:1:2:3::1:0");
	addr[7] ^= 1;
	assert_false(net_ip6_contains(&net, addr));
	assert_int_equal(net_ip6_parse_cidr("fd42::1/129", &net), -EINVAL);
	assert_int_equal(net_ip6_parse_cidr("fd42::1%eth0/64", &net), -EINVAL);
	assert_int_equal(net_ip6_parse("10.1.2.3", addr), -EINVAL);
	assert_int_equal(net_ip6_parse_cidr("fd42:1:2:3::1/61", &net), 0);
	net_ip6_nth(&net, 0, addr);
	assert_string_equal(net_ip6_format(text, addr), "fd42:1:2::");
}

static void test_ula(void **state)
{
	const uint8_t random[7] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde };
	struct net_ip6 ip = net_ip6_ula(random);
	char text[NET_CIDR_LEN];

	(void)state;
	assert_string_equal(net_ip6_format_cidr(text, &ip), "fd12:3456:789a:bcde::1/64");
}

static void test_pick_free(void **state)
{
	struct net_ip4 used[2];
	struct net_ip4 ip;
	char text[NET_CIDR_LEN];

	(void)state;
	used[0] = ip4("10.0.5.0/24");
	used[1] = ip4("10.0.6.17/23");
	assert_int_equal(net_ip4_pick_free(used, 2, 5, &ip), 0);
	assert_string_equal(net_ip4_format_cidr(text, ip), "10.0.8.1/24");
	/* A default route is not an obstacle. */
	used[0] = ip4("0.0.0.0/0");
	assert_int_equal(net_ip4_pick_free(used, 1, 0x10203, &ip), 0);
	assert_string_equal(net_ip4_format_cidr(text, ip), "10.2.3.1/24");
	used[0] = ip4("10.0.0.0/8");
	assert_int_equal(net_ip4_pick_free(used, 1, 0, &ip), 0);
	assert_string_equal(net_ip4_format_cidr(text, ip), "172.16.0.1/24");
	used[1] = ip4("172.0.0.0/6");
	assert_int_equal(net_ip4_pick_free(used, 2, 7, &ip), 0);
	assert_string_equal(net_ip4_format_cidr(text, ip), "192.168.7.1/24");
	used[0] = ip4("0.0.0.0/1");
	used[1] = ip4("128.0.0.0/1");
	assert_int_equal(net_ip4_pick_free(used, 2, 7, &ip), -ENOSPC);
}

static void test_ranges_parse(void **state)
{
	static const struct {
		const char *text;
		int r;
		size_t len;
		uint64_t count;
	} rows[] = {
		{ "10.1.2.10-10.1.2.19", 0, 1, 10 },
		{ "10.1.2.10-10.1.2.19,10.1.2.20-10.1.2.29", 0, 1, 20 },
		{ "10.1.2.50, 10.1.2.10-10.1.2.12", 0, 2, 4 },
		{ "10.1.2.10-10.1.2.30,10.1.2.15-10.1.2.16", 0, 1, 21 },
		{ "10.1.2.19-10.1.2.10", -ERANGE, 0, 0 },
		{ "10.1.2.0-10.1.2.10", -ERANGE, 0, 0 },
		{ "10.1.2.10-10.1.3.10", -ERANGE, 0, 0 },
		{ "10.1.2.10-", -EINVAL, 0, 0 },
		{ "all", -EINVAL, 0, 0 },
		{ "", -EINVAL, 0, 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct net_ranges4 ranges = { 0 };
		assert_int_equal(net_ranges4_parse(rows[i].text, ip4("10.1.2.1/24"), &ranges),
				 rows[i].r);
		assert_int_equal(ranges.list.len, rows[i].len);
		assert_int_equal(net_ranges4_count(&ranges), rows[i].count);
		net_ranges4_done(&ranges);
	}
}

static void test_ranges_split(void **state)
{
	struct net_ranges4 all, head, tail;

	(void)state;
	net_ranges4_of_network(ip4("10.1.2.1/24"), 0x0a010201, &all);
	assert_int_equal(net_ranges4_count(&all), 253);
	net_ranges4_split(&all, 190, &head, &tail);
	assert_int_equal(net_ranges4_count(&head), 190);
	assert_int_equal(net_ranges4_count(&tail), 63);
	assert_true(net_ranges4_contains(&head, 0x0a0102bf));
	assert_true(net_ranges4_contains(&tail, 0x0a0102c0));
	net_ranges4_done(&head);
	net_ranges4_done(&tail);
	net_ranges4_done(&all);
	net_ranges4_of_network(ip4("10.1.2.77/24"), 0x0a01024d, &all);
	assert_int_equal(all.list.len, 2);
	assert_false(net_ranges4_contains(&all, 0x0a01024d));
	net_ranges4_split(&all, 76, &head, &tail);
	assert_int_equal(head.list.len, 1);
	assert_int_equal(tail.list.len, 1);
	net_ranges4_done(&head);
	net_ranges4_done(&tail);
	net_ranges4_done(&all);
}

/* Taking one after the other gives each address once, then says that it is full. */
static void test_pick_until_full(void **state)
{
	struct net_ranges4 ranges;
	uint32_t taken[13];
	size_t n = 0;
	uint32_t addr;

	(void)state;
	net_ranges4_of_network(ip4("10.1.2.1/28"), 0x0a010201, &ranges);
	for (; n < 13; n++) {
		size_t at = n;
		assert_int_equal(net_ranges4_pick(&ranges, taken, n, 0xdeadbeef, &addr), 0);
		assert_true(net_ranges4_contains(&ranges, addr));
		for (; at > 0 && taken[at - 1] > addr; at--)
			taken[at] = taken[at - 1];
		assert_true(at == 0 || taken[at - 1] != addr);
		taken[at] = addr;
	}
	assert_int_equal(net_ranges4_pick(&ranges, taken, n, 1, &addr), -ENOSPC);
	net_ranges4_done(&ranges);
	assert_int_equal(net_ranges4_pick(&ranges, NULL, 0, 1, &addr), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac),	     cmocka_unit_test(test_mac_from_words),
		cmocka_unit_test(test_ip4_text),     cmocka_unit_test(test_ip4_networks),
		cmocka_unit_test(test_ip6),	     cmocka_unit_test(test_ula),
		cmocka_unit_test(test_pick_free),    cmocka_unit_test(test_ranges_parse),
		cmocka_unit_test(test_ranges_split), cmocka_unit_test(test_pick_until_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

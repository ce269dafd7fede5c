/* tests of the pure halves of network/host and network/port */
#include "network/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "network/port.h"

static void test_routes(void **state)
{
	static const char text[] =
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
		"eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
		"eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
		"br0\t0000A8C0\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
		"garbage\n";
	struct net_prefixes4 prefixes = { 0 };
	char cidr[NET_CIDR_LEN];

	(void)state;
	net_host_parse_routes(text, &prefixes);
	assert_int_equal(prefixes.list.len, 2);
	assert_string_equal(net_ip4_format_cidr(cidr, prefixes.list.items[0]), "192.0.2.0/24");
	assert_string_equal(net_ip4_format_cidr(cidr, prefixes.list.items[1]), "192.168.0.0/16");
	net_prefixes4_done(&prefixes);
}

static void test_resolv_conf(void **state)
{
	char **servers = NULL;

	(void)state;
	net_host_parse_resolv_conf("# a comment\nsearch example\nnameserver 127.0.0.53\n"
				   "nameserver\t192.0.2.53 \nnameserver ::1\nnameserver fe80::1\n"
				   "nameserver 2001:db8::53\nnameserver evil,1.2.3.4\nnameserver",
				   &servers);
	_cleanup_(freep) char *all = strv_join((const char *const *)servers, " ");
	assert_string_equal(all, "192.0.2.53 2001:db8::53");
	strv_freep(&servers);
}

static void test_ports(void **state)
{
	static const char udp[] =
		"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid "
		" timeout inode ref pointer drops\n"
		"  100: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0 "
		"       0 111 2 0000000000000000 0\n"
		"  101: 0102010A:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0 "
		"       0 222 2 0000000000000000 0\n"
		"  102: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0 "
		"       0 333 2 0000000000000000 0\n"
		"  103: 00000000:0043 00000000:0000 07 00000000:00000000 00:00000000 00000000     0 "
		"       0 444 2 0000000000000000 0\n"
		"  104: 00000000:0035 0100007F:1234 01 00000000:00000000 00:00000000 00000000     0 "
		"       0 555 2 0000000000000000 0\n"
		"x: nonsense\n";
	static const char tcp6[] =
		"  sl  local_address remote_address\n"
		"   0: 00000000000000000000000000000000:0035 "
		"00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     "
		"0        0 666 1 0000000000000000 100 0 0 10 0\n";
	struct net_inodes inodes = { 0 };

	(void)state;
	net_port_parse(udp, 53, 0x0a010201, &inodes);
	net_port_parse(tcp6, 53, 0x0a010201, &inodes);
	assert_int_equal(inodes.list.len, 3);
	assert_int_equal(inodes.list.items[0], 111);
	assert_int_equal(inodes.list.items[1], 222);
	assert_int_equal(inodes.list.items[2], 666);
	free(inodes.list.items);
}

static void test_loopback_state(void **state)
{
	struct net_host_link link;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(net_host_read_link("lo", &link, &err), 0);
	assert_false(link.is_bridge);
	net_host_link_done(&link);
	assert_true(net_host_read_link("no-such-if", &link, &err) < 0);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_true(net_host_read_link("../lo", &link, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_resolv_conf),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_loopback_state),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

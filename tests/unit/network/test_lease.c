/* tests of network/lease */
#include "network/lease.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "network/plan.h"

static struct net_leases parse(const char *text)
{
	struct net_leases leases;
	net_leases_parse(text, strlen(text), &leases);
	return leases;
}

static void test_real_file(void **state)
{
	struct net_leases leases =
		parse("1795333855 00:16:3e:09:09:09 10.173.40.217 * 01:00:16:3e:09:09:09\n"
		      "0 00:16:3e:01:02:03 10.173.40.61 web1 *\n"
		      "duid 00:01:00:01:32:95:4d:4e:00:16:3e:a4:5f:ce\n"
		      "1795333855 1041891 fd40::1:2 db1 00:04:aa\n"
		      "1795333855 T1041891 fd40::1:3 * 00:04:aa");
	const struct net_lease *l = leases.list.items;

	(void)state;
	assert_int_equal(leases.list.len, 4);
	assert_int_equal(leases.left_out, 0);
	assert_int_equal(l[0].expires_s, 1795333855);
	assert_string_equal(l[0].name, "");
	assert_int_equal(l[1].expires_s, 0);
	assert_int_equal(l[1].addr4, 0x0aad283d);
	assert_string_equal(l[1].name, "web1");
	assert_true(l[1].has_mac);
	assert_true(l[2].ipv6);
	assert_false(l[2].has_mac);
	assert_string_equal(l[2].name, "db1");
	net_leases_done(&leases);
}

static void test_hostile_names(void **state)
{
	static const char *const names[] = { "a;b", "../../etc", "-x", "a.b", "\xc2\x9b", "a\"b" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_(freep) char *line =
			xasprintf("1 00:16:3e:09:09:09 10.0.0.2 %s *\n", names[i]);
		struct net_leases leases = parse(line);
		assert_int_equal(leases.list.len, 1);
		assert_string_equal(leases.list.items[0].name, "");
		net_leases_done(&leases);
	}
}

static void test_garbage(void **state)
{
	static const char *const lines[] = {
		"x",
		"1 2 3",
		"1 00:16:3e:09:09:09 10.0.0.2 a b c",
		"-1 00:16:3e:09:09:09 10.0.0.2 a *",
		"99999999999999999999 00:16:3e:09:09:09 10.0.0.2 a *",
		"1 00:16:3e:09:09 10.0.0.2 a *",
		"1 00:16:3e:09:09:09 10.0.0.999 a *",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct net_leases leases = parse(lines[i]);
		assert_int_equal(leases.list.len, 0);
		assert_int_equal(leases.left_out, 1);
		net_leases_done(&leases);
	}
}

static void test_limits(void **state)
{
	struct buf text = { 0 };
	struct net_leases leases;

	(void)state;
	for (int i = 0; i < 2 * NET_LEASES_MAX; i++)
		buf_add_str(&text, "1 00:16:3e:09:09:09 10.0.0.2 a *\n");
	net_leases_parse(text.data, text.len, &leases);
	assert_int_equal(leases.list.len, NET_LEASES_MAX);
	assert_int_equal(leases.left_out, NET_LEASES_MAX);
	net_leases_done(&leases);
	text.len = 0;
	for (int i = 0; i < 5000; i++)
		buf_add_char(&text, 'a');
	net_leases_parse(text.data, text.len, &leases);
	assert_int_equal(leases.list.len, 0);
	net_leases_done(&leases);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_file),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests of spec/names, spec/nic and spec/idrange */
#include "spec/names.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "spec/device.h"
#include "spec/idrange.h"
#include "spec/nic.h"
#include "spec/nictype.h"
#include "spec/value.h"
#include "spec/vlan.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_names(void **state)
{
	static const struct {
		enum name_kind kind;
		const char *good; /* separated by blanks */
		const char *bad;
	} cases[] = {
		{ NAME_INSTANCE, "c1 web-1 A a1b2",
		  "-x x- 1c a_b a.b a/b ../x c1; " A64 " \xc3\xa4 -rf . .." },
		{ NAME_SNAPSHOT, "snap0 a.b_c-d 2024", "a/b .. . -x a\nb" },
		{ NAME_PROFILE, "default web.1", "../x a/b" },
		{ NAME_NETWORK, "sysctrbr0 br-1", "lo sixteencharsname .. a/b -x" },
		{ NAME_POOL, "default", "a/b .." },
		{ NAME_VOLUME, "v", "a/b .." },
		{ NAME_DEVICE, "eth0 root", "a/b .." },
		{ NAME_IMAGE_ALIAS, "debian debian/trixie a/b/c", "/a a/ a//b ../x a/../b a/." },
		{ NAME_FINGERPRINT, A64, "a AAAA " A64 "a g" },
		{ NAME_REMOTE, "images", "a:b a/b" },
		{ NAME_BACKUP, "backup0 x.y_z-1", "a/b .. -x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strv_freep) char **good = strv_split(cases[i].good, " ");
		_cleanup_(strv_freep) char **bad = strv_split(cases[i].bad, " ");
		struct err err = { 0 };

		for (char **name = good; *name; name++)
			assert_int_equal(name_validate(cases[i].kind, *name, NULL), 0);
		for (char **name = bad; *name; name++) {
			if (name_validate(cases[i].kind, *name, &err) != -EINVAL)
				fail_msg("kind %zu: \"%s\" was accepted", i, *name);
			assert_int_equal(err.kind, ERR_INVALID);
		}
		assert_int_equal(name_validate(cases[i].kind, "", &err), -EINVAL);
		assert_int_equal(name_validate(cases[i].kind, NULL, &err), -EINVAL);
	}
}

static void test_name_messages_are_printable(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(name_validate(NAME_INSTANCE, "\033[31m", &err), -EINVAL);
	assert_null(strchr(err.msg, '\033'));
	assert_int_equal(name_validate(NAME_INSTANCE, "-x", &err), -EINVAL);
	assert_string_equal(err.msg, "instance name \"-x\": must begin with a letter");
}

static void test_hwaddr(void **state)
{
	const struct value_rule rule = { .type = VALUE_HWADDR };
	char a[NIC_HWADDR_LEN], b[NIC_HWADDR_LEN];

	(void)state;
	assert_int_equal(value_check(&rule, nic_new_hwaddr(a), NULL), 0);
	assert_non_null(str_after(a, "00:16:3e:"));
	assert_string_not_equal(a, nic_new_hwaddr(b));
}

static void test_host_names(void **state)
{
	static const char *const tags[] = { "s", "sysctr", "sysctr-test", "sysctr2" };
	char a[NIC_IFNAME_LEN], b[NIC_IFNAME_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		assert_true(strlen(nic_host_name(tags[i], "web1", "eth0", a)) <= 15);
		assert_string_equal(a, nic_host_name(tags[i], "web1", "eth0", b));
		assert_string_not_equal(a, nic_host_name(tags[i], "web1", "eth1", b));
		assert_string_not_equal(a, nic_host_name(tags[i], "web1e", "th0", b));
		for (size_t j = 0; j < ARRAY_LEN(tags); j++)
			assert_int_equal(nic_host_name_is_ours(tags[j], a), i == j);
	}
	assert_string_equal(nic_host_prefix("sysctr", a), "sysctr-");
	assert_false(nic_host_name_is_ours("sysctr", "sysctrbr0"));
	assert_false(nic_host_name_is_ours("sysctr", "sysctr-"));
}

static void test_hashes_do_not_collide_early(void **state)
{
	_cleanup_(strv_freep) char **names = NULL;

	(void)state;
	for (int i = 0; i < 300; i++) {
		_cleanup_(freep) char *instance = xasprintf("c%d", i);
		char name[NIC_IFNAME_LEN];

		(void)nic_host_name("sysctr", instance, "eth0", name);
		assert_false(strv_contains((const char *const *)names, name));
		strv_push(&names, name);
	}
}

static void test_idranges(void **state)
{
	const struct idrange space = { 1000000, 400000 };
	const struct idrange used[] = {
		{ 1048576 + 2 * 65536, 65536 },
		{ 1048576, 65536 },
		{ 0, 100 },
		{ 1048576, 1 },
	};
	const struct idrange odd[] = { { 1048570, 10 }, { 1048576 + 65536 + 5, 1 } };
	uint32_t base = 0;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(idrange_find(&space, NULL, 0, 65536, &base, NULL), 0);
	assert_int_equal(base, 1048576);
	assert_int_equal(idrange_find(&space, used, ARRAY_LEN(used), 65536, &base, NULL), 0);
	assert_int_equal(base, 1048576 + 65536);
	assert_int_equal(idrange_find(&space, used, ARRAY_LEN(used), 131072, &base, NULL), 0);
	assert_int_equal(base, 1048576 + 3 * 65536);
	assert_int_equal(idrange_find(&space, odd, ARRAY_LEN(odd), 65536, &base, NULL), 0);
	assert_int_equal(base, 1048576 + 2 * 65536);
	assert_int_equal(idrange_find(&space, used, ARRAY_LEN(used), 196608, &base, &err), -EBUSY);
	assert_int_equal(err.kind, ERR_UNAVAILABLE);
	assert_int_equal(idrange_find(&space, NULL, 0, 1000, &base, NULL), -EINVAL);
	assert_int_equal(idrange_find(&(struct idrange){ UINT32_MAX - 65536, UINT32_MAX }, NULL, 0,
				      65536, &base, NULL),
			 -EBUSY);
}

static void add_nic(struct strmap *devices, const char *device, const char *name)
{
	struct strmap *nic = devices_add(devices, device);

	strmap_set(nic, "type", "nic");
	if (name)
		strmap_set(nic, "name", name);
}

/* @wanted: "DEVICE=NAME ..." */
static void assert_inner_names(const struct strmap *devices, const struct strmap *config,
			       const char *wanted)
{
	_cleanup_(strmap_done) struct strmap names = { 0 };
	_cleanup_(strv_freep) char **pairs = NULL;
	_cleanup_(freep) char *text = NULL;

	nic_inner_names(devices, config, &names);
	strmap_for_each(entry, &names)
	{
		strv_push_take(&pairs, xasprintf("%s=%s", entry->key, (char *)entry->value));
	}
	text = strv_join((const char *const *)pairs, " ");
	assert_string_equal(text, wanted);
}

/* Each address that is made up is refused as often. */
struct refusals {
	int left;
	char last[NIC_HWADDR_LEN];
};

static bool is_refused(void *data, const char *hwaddr)
{
	struct refusals *refusals = data;

	(void)snprintf(refusals->last, sizeof(refusals->last), "%s", hwaddr);
	return refusals->left-- > 0;
}

static void test_inner_names(void **state)
{
	_cleanup_(strmap_done) struct strmap devices;
	_cleanup_(strmap_done) struct strmap config = { 0 };
	struct refusals refusals = { .left = 3 };

	(void)state;
	devices_init(&devices);
	strmap_set(devices_add(&devices, "disk"), "type", "disk");
	add_nic(&devices, "a", NULL);
	add_nic(&devices, "b", "eth0");
	add_nic(&devices, "c", NULL);
	assert_inner_names(&devices, &config, "a=eth1 b=eth0 c=eth2");
	nic_fill_volatile(&devices, &config, is_refused, &refusals);
	assert_int_equal(refusals.left, -3); /* 3 that were not good enough, one each of 3 nics */
	assert_string_equal(strmap_get(&config, "volatile.c.hwaddr"), refusals.last);
	assert_string_equal(strmap_get(&config, "volatile.c.name"), "eth2");
	assert_null(strmap_get(&config, "volatile.b.name"));
	assert_non_null(strmap_get(&config, "volatile.b.hwaddr"));
	assert_null(strmap_get(&config, "volatile.disk.name"));
	/* What was noted stays when others go, but gives way to what somebody asks for. */
	(void)strmap_unset(&devices, "a");
	assert_inner_names(&devices, &config, "b=eth0 c=eth2");
	add_nic(&devices, "b", "eth2");
	assert_inner_names(&devices, &config, "b=eth2 c=eth0");
	nic_fill_volatile(&devices, &config, is_refused, &refusals);
	assert_int_equal(refusals.left, -3); /* all have one */
	assert_string_equal(strmap_get(&config, "volatile.c.name"), "eth2");
	strmap_set(&config, "volatile.c.name", "no/name");
	assert_inner_names(&devices, &config, "b=eth2 c=eth0");
}

static void test_vlans(void **state)
{
	static const char *const wrong[] = {
		"0", "4095", "1-", "-1", "5-4", "1,,x", "1-4095", "a"
	};
	struct vlan_ranges ranges = { 0 };

	(void)state;
	assert_int_equal(vlan_parse(""), VLAN_UNSET);
	assert_int_equal(vlan_parse("none"), VLAN_NONE);
	assert_int_equal(vlan_parse("4094"), 4094);
	assert_int_equal(vlan_parse("4095"), VLAN_UNSET);
	assert_int_equal(vlan_parse_tagged("10, 20-30", &ranges), 0);
	assert_int_equal(ranges.list.len, 2);
	assert_int_equal(ranges.list.items[0].last, 10);
	assert_int_equal(ranges.list.items[1].first, 20);
	assert_int_equal(ranges.list.items[1].last, 30);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(vlan_parse_tagged(wrong[i], &ranges), -EINVAL);
	free(ranges.list.items);
}

static void test_subnets(void **state)
{
	static const struct {
		const char *key, *value;
		int result;
	} cases[] = {
		{ "ipv4.routes", "10.1.2.0/24,10.9.0.0/16", 0 },
		{ "ipv4.routes", "10.1.2.5/32", 0 },
		{ "ipv4.routes", "10.1.2.1/24", -EINVAL },
		{ "ipv4.routes", "10.1.2.0", -EINVAL },
		{ "ipv4.routes", "0.0.0.0/0", -EINVAL },
		{ "ipv4.routes", "10.1.2.0/33", -EINVAL },
		{ "ipv4.routes", "2001:db8::/32", -EINVAL },
		{ "ipv6.routes", "2001:db8::/32", 0 },
		{ "ipv6.routes", "2001:db8::1/127", -EINVAL },
		{ "ipv6.routes", "10.1.2.0/24", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(nictype_check_routes(cases[i].key, cases[i].value, NULL),
				 cases[i].result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_name_messages_are_printable),
		cmocka_unit_test(test_hwaddr),
		cmocka_unit_test(test_host_names),
		cmocka_unit_test(test_hashes_do_not_collide_early),
		cmocka_unit_test(test_idranges),
		cmocka_unit_test(test_inner_names),
		cmocka_unit_test(test_vlans),
		cmocka_unit_test(test_subnets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

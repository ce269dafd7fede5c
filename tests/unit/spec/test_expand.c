/* tests of spec/expand, spec/device, spec/profile and spec/etag */
#include "spec/expand.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "spec/device.h"
#include "spec/etag.h"

static void set_device(struct strmap *devices, const char *name, const char *pairs)
{
	_cleanup_(strv_freep) char **list = strv_split(pairs, " ");
	struct strmap *device = devices_add(devices, name);

	for (char **pair = list; pair && *pair; pair++) {
		char *value = strchr(*pair, '=');

		*value = '\0';
		strmap_set(device, *pair, value + 1);
	}
}

/* "type=nic network=x" of a device. */
static char *show(const struct strmap *device)
{
	_cleanup_(strv_freep) char **pairs = NULL;

	if (!device)
		return xstrdup("(none)");
	strmap_for_each(entry, device)
	{
		strv_push_take(&pairs, xasprintf("%s=%s", entry->key, (char *)entry->value));
	}
	return strv_join((const char *const *)pairs, " ");
}

static void test_merging_devices(void **state)
{
	static const struct {
		const char *profile, *local, *result, *origins;
	} cases[] = {
		{ "type=nic network=a name=eth0", "mtu=1400",
		  "mtu=1400 name=eth0 network=a type=nic", "mtu=instance name=p network=p type=p" },
		{ "type=nic network=a mtu=1400", "type=nic network=b", "network=b type=nic",
		  "network=instance type=instance" },
		{ "type=nic nictype=bridged parent=br0", "network=b", "network=b type=nic",
		  "network=instance type=p" },
		{ "type=nic network=a", "nictype=bridged parent=br0",
		  "nictype=bridged parent=br0 type=nic",
		  "nictype=instance parent=instance type=p" },
		{ "type=nic network=a mtu=1400", "mtu=", "network=a type=nic", "network=p type=p" },
		{ "type=nic network=a", "type=none", "(none)", "(none)" },
		{ "type=none", "type=disk path=/ pool=x", "path=/ pool=x type=disk",
		  "path=instance pool=instance type=instance" },
		{ "type=nic network=a", "type=disk path=/", "path=/ type=disk",
		  "path=instance type=instance" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct profile_record *profile = profile_record_new("p");
		const struct profile_record *profiles[] = { NULL, profile };
		struct inst_record *record = inst_record_new("c1");
		struct expanded out, from;
		_cleanup_(freep) char *result = NULL, *origins = NULL;

		set_device(&profile->devices, "d", cases[i].profile);
		set_device(&record->devices, "d", cases[i].local);
		expand_instance(record, profiles, 2, &out, &from);
		result = show(devices_get(&out.devices, "d"));
		origins = show(devices_get(&from.devices, "d"));
		assert_string_equal(result, cases[i].result);
		assert_string_equal(origins, cases[i].origins);
		expanded_done(&out);
		expanded_done(&from);
		profile_record_free(profile);
		inst_record_free(record);
	}
}

static void test_last_one_wins(void **state)
{
	struct profile_record *a = profile_record_new("a"), *b = profile_record_new("b");
	const struct profile_record *profiles[] = { a, b };
	struct inst_record *record = inst_record_new("c1");
	struct expanded out, from;

	(void)state;
	strmap_set(&a->config, "limits.cpu", "1");
	strmap_set(&a->config, "user.a", "a");
	strmap_set(&a->config, "user.gone", "x");
	strmap_set(&b->config, "limits.cpu", "2");
	strmap_set(&b->config, "limits.memory", "1GB");
	strmap_set(&record->config, "limits.memory", "2GB");
	strmap_set(&record->config, "user.gone", "");
	expand_instance(record, profiles, 2, &out, &from);
	assert_int_equal(out.config.len, 3);
	assert_string_equal(strmap_get(&out.config, "limits.cpu"), "2");
	assert_string_equal(strmap_get(&from.config, "limits.cpu"), "b");
	assert_string_equal(strmap_get(&from.config, "user.a"), "a");
	assert_string_equal(strmap_get(&out.config, "limits.memory"), "2GB");
	assert_string_equal(strmap_get(&from.config, "limits.memory"), EXPAND_ORIGIN_LOCAL);
	expanded_done(&out);
	expanded_done(&from);
	profile_record_free(a);
	profile_record_free(b);
	inst_record_free(record);
}

struct device_case {
	const char *pairs;
	int result;
	const char *words;
};

static void check_devices(const struct device_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct strmap devices;
		struct err err = { 0 };

		devices_init(&devices);
		set_device(&devices, "d", cases[i].pairs);
		if (device_validate("d", devices_get(&devices, "d"), &err) != cases[i].result)
			fail_msg("%s: %s", cases[i].pairs, err.msg);
		if (cases[i].words && !strstr(err.msg, cases[i].words))
			fail_msg("%s: %s", cases[i].pairs, err.msg);
		if (cases[i].words)
			assert_non_null(str_after(err.msg, "device \"d\": "));
		strmap_done(&devices);
	}
}

static void test_device_validation(void **state)
{
	static const struct device_case cases[] = {
		{ "type=nic network=sysctrbr0", 0, NULL },
		{ "type=nic nictype=bridged parent=br0 hwaddr=00:16:3e:11:22:33 mtu=1400 name=eth1",
		  0, NULL },
		{ "type=nic network=n ipv4.address=10.0.0.5 ipv6.address=none", 0, NULL },
		{ "type=disk path=/ pool=default size=10GiB", 0, NULL },
		{ "type=none", 0, NULL },
		{ "type=nic nictype=p2p host_name=v0 mtu=1400", 0, NULL },
		{ "type=nic nictype=p2p parent=br0", -EINVAL, "excludes parent" },
		{ "type=nic nictype=p2p security.port_isolation=true", -EINVAL, "of a bridge" },
		{ "type=nic network=n security.port_isolation=true", 0, NULL },
		{ "type=nic nictype=macvlan parent=e mode=vepa mtu=1400", 0, NULL },
		{ "type=nic nictype=physical parent=e hwaddr=02:00:00:00:00:01", 0, NULL },
		{ "type=nic nictype=physical", -EINVAL, "must have parent" },
		{ "type=nic nictype=physical parent=e host_name=h", -EINVAL, "host_name is not" },
		{ "type=nic nictype=macvlan parent=e limits.max=1Mbit", -EINVAL, "limits.max is" },
		{ "type=nic nictype=macvlan parent=e mode=bridged", -EINVAL, "bridge" },
		{ "type=nic network=n mode=bridge", -EINVAL, "nictype=macvlan" },
		{ "type=nic network=n security.acls=a", -EOPNOTSUPP, "not supported" },
		{ "type=nic network=n limits.max=10MB", -EINVAL, "10Mbit" },
		{ "type=nic nictype=p2p limits.max=1Mbit", -EINVAL, "ports of a bridge" },
		{ "type=nic", -EINVAL, "must have network=NAME" },
		{ "type=nic network=n parent=br0", -EINVAL, "network excludes" },
		{ "type=nic network=n hwaddr=01:16:3e:11:22:33", -EINVAL, "unicast" },
		{ "type=nic network=n hwaddr=00:16:3e:11:22", -EINVAL, "MAC address" },
		{ "type=nic network=n mtu=20", -EINVAL, "from 68" },
		{ "type=nic network=n nmae=x", -EINVAL, "did you mean \"name\"" },
		{ "type=nic network=n ipv4.adress=10.0.0.5", -EINVAL,
		  "did you mean \"ipv4.address\"" },
		{ "type=nic network=n ipv4.host_table=1", -EOPNOTSUPP, "not supported here" },
		{ "type=nic network=n limits.priority=1", -EOPNOTSUPP, "not supported here" },
		{ "type=nic network=../x", -EINVAL, "network" },
		{ "type=nic nictype=ipvlan parent=eth0", -EINVAL, "macvlan" },
		{ "type=disk path=/", -EINVAL, "pool=NAME" },
		{ "type=disk path=/mnt source=/srv", 0, NULL },
		{ "type=disk path=/mnt source=tmpfs: size=1MiB", 0, NULL },
		{ "type=disk path=/mnt source=/srv shift=true readonly=true required=false", 0,
		  NULL },
		{ "type=disk path=/mnt pool=x", -EINVAL, "source is missing" },
		{ "type=disk path=/mnt pool=x source=/srv", -EINVAL, "name of a volume" },
		{ "type=disk path=/mnt pool=x source=v recursive=true", -EINVAL,
		  "not for a volume" },
		{ "type=disk path=/mnt pool=x source=v shift=false", -EOPNOTSUPP, "always true" },
		{ "type=disk path=/mnt", -EINVAL, "source is missing" },
		{ "type=disk path=/mnt source=srv", -EINVAL, "absolute path" },
		{ "type=disk path=/mnt source=/srv size=1MiB", -EINVAL, "size is for" },
		{ "type=disk path=/mnt source=tmpfs: shift=true", -EINVAL, "shift is not for" },
		{ "type=disk path=/mnt source=/srv propagation=none", -EINVAL, "must be one of" },
		{ "type=disk path=/mnt source=/srv propagation=rshared", 0, NULL },
		{ "type=disk path=/mnt source=/srv propagation=rshared readonly=true", -EINVAL,
		  "propagation=rshared excludes readonly" },
		{ "type=disk path=/./ source=/srv", -EINVAL, "root disk must be" },
		{ "type=disk path=/ pool=x source=/srv", -EINVAL, "not for the root disk" },
		{ "type=disk pool=x", -EINVAL, "path is missing" },
		{ "type=disk path=/a/../b pool=x", -EINVAL, "without .." },
		{ "type=tpm", -EOPNOTSUPP, "known in Incus" },
		{ "type=unix-char path=/dev/x", 0, NULL },
		{ "type=unix-block path=/dev/x major=7 minor=0 uid=5 mode=0600", 0, NULL },
		{ "type=unix-char", -EINVAL, "must have source=PATH" },
		{ "type=unix-char path=/dev/x minor=1", -EINVAL, "go together" },
		{ "type=unix-char path=dev/x", -EINVAL, "absolute" },
		{ "type=gpu", 0, NULL },
		{ "type=gpu id=0 mode=0600 required=false", 0, NULL },
		{ "type=gpu id=0 pci=0000:01:00.0", -EINVAL, "id excludes pci" },
		{ "type=gpu pci=1:00.0", -EINVAL, "0000:01:00.0" },
		{ "type=gpu gputype=mig", -EINVAL, "physical" },
		{ "type=usb vendorid=046d productid=c52b", 0, NULL },
		{ "type=usb vendorid=46d", -EINVAL, "hexadecimal" },
		{ "type=usb busnum=1", -EINVAL, "go together" },
		{ "type=unix-hotplug", -EINVAL, "must have vendorid" },
		{ "type=unix-hotplug vendorid=046d", 0, NULL },
		{ "type=nick", -EINVAL, "did you mean \"nic\"" },
		{ "network=n", -EINVAL, "type is missing" },
	};

	(void)state;
	check_devices(cases, ARRAY_LEN(cases));
}

static void test_proxies(void **state)
{
	static const struct device_case cases[] = {
		{ "type=proxy listen=tcp:0.0.0.0:80-82 connect=tcp:127.0.0.1:80", 0, NULL },
		{ "type=proxy listen=tcp:[::]:80-82 connect=tcp:127.0.0.1:8080-8082", 0, NULL },
		{ "type=proxy listen=unix:/a/b connect=unix:@c bind=instance mode=0660", 0, NULL },
		{ "type=proxy listen=udp:0.0.0.0:53 connect=udp:127.0.0.1:53", 0, NULL },
		{ "type=proxy listen=tcp:1", -EINVAL, "connect is missing" },
		{ "type=proxy listen=tcp:1 connect=tcp:127.0.0.1:1", -EINVAL, "listen=\"tcp:1\"" },
		{ "type=proxy listen=tcp:0.0.0.0:0 connect=tcp:127.0.0.1:1", -EINVAL, "ports" },
		{ "type=proxy listen=tcp:0.0.0.0:1-99999 connect=tcp:127.0.0.1:1", -EINVAL,
		  "ports" },
		{ "type=proxy listen=tcp:::1:5 connect=tcp:127.0.0.1:1", -EINVAL, "brackets" },
		{ "type=proxy listen=unix:rel connect=tcp:127.0.0.1:1", -EINVAL, "absolute" },
		{ "type=proxy listen=unix:/a/../b connect=tcp:127.0.0.1:1", -EINVAL, "without .." },
		{ "type=proxy listen=tcp:0.0.0.0:1-2 connect=tcp:127.0.0.1:1-3", -EINVAL,
		  "as many as listen" },
		{ "type=proxy listen=tcp:0.0.0.0:1 connect=udp:127.0.0.1:1", -EINVAL, "udp" },
		{ "type=proxy listen=tcp:0.0.0.0:1 connect=tcp:127.0.0.1:1 mode=0660", -EINVAL,
		  "mode is for" },
		{ "type=proxy listen=unix:/a connect=tcp:127.0.0.1:1 mode=0990", -EINVAL,
		  "permissions" },
		{ "type=proxy nat=true listen=tcp:0.0.0.0:1-9 connect=tcp:10.0.0.9:1-9", 0, NULL },
		{ "type=proxy nat=true listen=udp:[::]:1 connect=udp:[fd42::9]:1", 0, NULL },
		{ "type=proxy nat=true listen=tcp:0.0.0.0:1 connect=tcp:127.0.0.1:1", -EINVAL,
		  "loopback" },
		{ "type=proxy nat=true listen=tcp:127.0.0.1:1 connect=tcp:10.0.0.9:1", -EINVAL,
		  "loopback" },
		{ "type=proxy nat=true listen=tcp:[::]:1 connect=tcp:10.0.0.9:1", -EINVAL,
		  "two devices" },
		{ "type=proxy nat=true listen=unix:/a connect=tcp:10.0.0.9:1", -EINVAL,
		  "tcp to tcp" },
		{ "type=proxy nat=true listen=tcp:0.0.0.0:1 connect=tcp:10.0.0.9:1 bind=instance",
		  -EINVAL, "bind=instance" },
		{ "type=proxy nat=true listen=tcp:0.0.0.0:1 connect=tcp:10.0.0.9:1 "
		  "proxy_protocol=true",
		  -EINVAL, "proxy_protocol" },
	};

	(void)state;
	check_devices(cases, ARRAY_LEN(cases));
}

static void test_partial_devices(void **state)
{
	static const struct {
		const char *pairs;
		int result;
	} cases[] = {
		{ "mtu=1400", 0 },	     { "pool=x", 0 },		{ "type=nic", 0 },
		{ "mtu=20", -EINVAL },	     { "colour=red", -EINVAL }, { "type=proxy", 0 },
		{ "type=tpm", -EOPNOTSUPP }, { "source=/x", 0 },	{ "source=x/y", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strmap devices;

		devices_init(&devices);
		set_device(&devices, "d", cases[i].pairs);
		assert_int_equal(device_validate_partial("d", devices_get(&devices, "d"), NULL),
				 cases[i].result);
		strmap_done(&devices);
	}
}

static void test_sets_of_devices(void **state)
{
	struct strmap devices, copy;
	struct err err = { 0 };

	(void)state;
	devices_init(&devices);
	devices_init(&copy);
	assert_null(devices_root(&devices));
	set_device(&devices, "eth0", "type=nic network=a");
	set_device(&devices, "root", "type=disk path=/ pool=x");
	assert_int_equal(devices_validate(&devices, NULL), 0);
	assert_string_equal(devices_root(&devices), "root");
	devices_copy(&copy, &devices);
	assert_true(devices_equal(&copy, &devices));
	set_device(&copy, "eth1", "type=nic network=a name=eth0");
	assert_false(devices_equal(&copy, &devices));
	assert_int_equal(devices_validate(&copy, NULL), 0); /* the other one takes eth1 */
	set_device(&copy, "eth0", "type=nic network=a name=eth0");
	assert_int_equal(devices_validate(&copy, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "same name \"eth0\""));
	(void)strmap_unset(&copy, "eth1");
	set_device(&copy, "a", "type=disk path=/a source=/b");
	set_device(&copy, "b", "type=disk path=/a source=/c");
	assert_int_equal(devices_validate(&copy, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "same path \"/a\""));
	set_device(&devices, "root2", "type=disk path=/ pool=x");
	assert_int_equal(devices_validate(&devices, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "both the root disk"));
	strmap_done(&devices);
	strmap_done(&copy);
}

static void test_live_edits(void **state)
{
	struct strmap old, new;
	struct err err;

	(void)state;
	devices_init(&old);
	devices_init(&new);
	set_device(&old, "root", "type=disk path=/ pool=x");
	set_device(&new, "root", "type=disk path=/ pool=x");
	set_device(&new, "data", "type=disk path=/data source=/srv");
	assert_int_equal(devices_check_live(&old, &new, NULL), 0);
	set_device(&new, "root", "type=disk path=/ pool=y");
	assert_int_equal(devices_check_live(&old, &new, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "device \"root\": pool"));
	strmap_unset(&new, "root");
	assert_int_equal(devices_check_live(&old, &new, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "cannot be removed"));
	strmap_done(&old);
	strmap_done(&new);
}

static void test_plain_paths(void **state)
{
	static const char *const cases[][2] = {
		{ "/a/b", "/a/b" }, { "//a/./b/", "/a/b" }, { "/", "/" },
		{ "/./", "/" },	    { "a", "/a" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(freep) char *path = device_plain_path(cases[i][0]);

		assert_string_equal(path, cases[i][1]);
	}
}

static void test_profile_validation(void **state)
{
	struct profile_record *profile = profile_record_new("web"), *copy;
	struct err err = { 0 };

	(void)state;
	set_device(&profile->devices, "eth0", "mtu=1400");
	strmap_set(&profile->config, "limits.cpu", "2");
	assert_int_equal(profile_record_validate(profile, NULL), 0);
	copy = profile_record_copy(profile);
	strmap_set(&copy->config, "limits.cpu", "two");
	assert_int_equal(profile_record_validate(copy, &err), -EINVAL);
	assert_non_null(str_after(err.msg, "profile \"web\": "));
	profile_record_free(copy);
	profile_record_free(profile);
}

static void test_etags(void **state)
{
	struct etag a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
	struct strmap map = { 0 };
	char text[ETAG_LEN];

	(void)state;
	etag_add_str(&a, "ab");
	etag_add_str(&a, "c");
	etag_add_str(&b, "a");
	etag_add_str(&b, "bc");
	assert_string_not_equal(etag_format(&a, (char[ETAG_LEN]){ 0 }), etag_format(&b, text));
	assert_true(etag_allows(&b, text));
	assert_true(etag_allows(&b, NULL) && etag_allows(&b, "") && etag_allows(&b, "*"));
	assert_false(etag_allows(&a, text));
	strmap_set(&map, "k", "v");
	etag_add_map(&c, &map);
	etag_add_map(&d, &map);
	assert_true(etag_allows(&d, etag_format(&c, text)));
	etag_add_bool(&d, false);
	assert_false(etag_allows(&d, etag_format(&c, text)));
	strmap_done(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merging_devices),	   cmocka_unit_test(test_last_one_wins),
		cmocka_unit_test(test_device_validation),  cmocka_unit_test(test_proxies),
		cmocka_unit_test(test_partial_devices),	   cmocka_unit_test(test_sets_of_devices),
		cmocka_unit_test(test_live_edits),	   cmocka_unit_test(test_plain_paths),
		cmocka_unit_test(test_profile_validation), cmocka_unit_test(test_etags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

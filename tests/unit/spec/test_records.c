/* tests of spec/network, pool, image, warning and daemon_config */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "spec/daemon_config.h"
#include "spec/image.h"
#include "spec/network.h"
#include "spec/pool.h"
#include "spec/warning.h"

#define FINGERPRINT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void set_pairs(struct strmap *config, const char *pairs)
{
	_cleanup_(strv_freep) char **list = strv_split(pairs, " ");

	for (char **pair = list; pair && *pair; pair++) {
		char *value = strchr(*pair, '=');

		*value = '\0';
		strmap_set(config, *pair, value + 1);
	}
}

static void test_networks(void **state)
{
	static const struct {
		const char *config;
		int result;
		const char *words;
	} cases[] = {
		{ "", 0, NULL },
		{ "ipv4.address=auto ipv6.address=none ipv4.nat=true", 0, NULL },
		{ "ipv4.address=10.1.2.1/24 ipv4.dhcp.ranges=10.1.2.2-10.1.2.9,10.1.2.20-10.1.2.30",
		  0, NULL },
		{ "ipv6.address=fd00::1/64 ipv6.dhcp.stateful=true dns.domain=example.org", 0,
		  NULL },
		{ "dns.mode=dynamic bridge.mtu=1400 ipv4.dhcp.expiry=12h user.x=y", 0, NULL },
		{ "ipv4.address=10.1.2.0/24", -EINVAL, "host's address" },
		{ "ipv4.address=10.1.2.255/24", -EINVAL, "host's address" },
		{ "ipv4.address=10.1.2.1", -EINVAL, "prefix" },
		{ "ipv4.address=10.1.2.1/33", -EINVAL, "prefix" },
		{ "ipv4.address=10.1.2.1/31", -EINVAL, "prefix" },
		{ "ipv4.address=10.1.2/24", -EINVAL, "prefix" },
		{ "ipv6.address=fd00::1", -EINVAL, "prefix" },
		{ "ipv4.dhcp.ranges=10.1.2.2-10.1.2.9", -EINVAL, "needs a subnet" },
		{ "ipv4.address=10.1.2.1/24 ipv4.dhcp.ranges=10.1.3.2-10.1.3.9", -EINVAL,
		  "is not inside" },
		{ "ipv4.address=10.1.2.1/24 ipv4.dhcp.ranges=10.1.2.9-10.1.2.2", -EINVAL,
		  "ranges" },
		{ "dns.domain=a\nb", -EINVAL, "single line" },
		{ "dns.domain=-a", -EINVAL, "domain name" },
		{ "dns.domain=a..b", -EINVAL, "domain name" },
		{ "ipv4.dhcp.expiry=0", -EINVAL, "a time" },
		{ "ipv4.adress=10.1.2.1/24", -EINVAL, "did you mean \"ipv4.address\"" },
		{ "raw.dnsmasq=x", -EOPNOTSUPP, "not supported here" },
		{ "ipv4.ovn.ranges=x", -EOPNOTSUPP, "not supported here" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct network_record *network = network_record_new("br0"), *copy;
		struct err err = { 0 };

		set_pairs(&network->config, cases[i].config);
		copy = network_record_copy(network);
		if (network_record_validate(copy, &err) != cases[i].result)
			fail_msg("%s: %s", cases[i].config, err.msg);
		if (cases[i].words &&
		    (!strstr(err.msg, cases[i].words) || !str_after(err.msg, "network \"br0\": ")))
			fail_msg("%s: %s", cases[i].config, err.msg);
		network_record_free(copy);
		network_record_free(network);
	}
}

static void test_network_type(void **state)
{
	struct network_record *network = network_record_new("br0");

	(void)state;
	replace_str(&network->type, "ovn");
	assert_int_equal(network_record_validate(network, NULL), -EOPNOTSUPP);
	network_record_free(network);
}

static void test_pools(void **state)
{
	struct pool_record *pool = pool_record_new("default"), *copy;
	struct err err = { 0 };

	(void)state;
	strmap_set(&pool->config, "source", "/srv/pool");
	pool->driver = xstrdup("overlay");
	copy = pool_record_copy(pool);
	assert_string_equal(copy->driver, "overlay");
	assert_int_equal(pool_record_validate(copy, NULL), 0);
	strmap_set(&copy->config, "source", "srv/pool");
	assert_int_equal(pool_record_validate(copy, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "absolute path"));
	strmap_set(&copy->config, "source", "/srv/../pool");
	assert_int_equal(pool_record_validate(copy, &err), -EINVAL);
	pool_record_free(copy);
	strmap_set(&pool->config, "zfs.pool_name", "x");
	assert_int_equal(pool_record_validate(pool, NULL), -EOPNOTSUPP);
	pool_record_free(pool);
}

static int parse_pool(const char *text, struct pool_record *pool)
{
	struct err err = { 0 };

	return pool_record_parse(text, strlen(text), pool, &err);
}

static void test_pool_text(void **state)
{
	struct pool_record *pool = pool_record_new("big");
	struct pool_record found = { 0 };
	struct buf text = { 0 }, wire = { 0 };

	(void)state;
	pool->driver = xstrdup("btrfs");
	pool->description = xstrdup("on: a \"disk\"\n# no comment");
	strmap_set(&pool->config, "source", "/dev/sdb");
	strmap_set(&pool->config, "user.empty", "");
	strmap_set(&pool->config, "user.yes", "yes");
	pool_record_emit(pool, &text);
	assert_int_equal(parse_pool(buf_str(&text), &found), 0);
	assert_string_equal(found.name, "big");
	assert_string_equal(found.driver, "btrfs");
	assert_string_equal(found.description, pool->description);
	assert_true(strmap_equal(&found.config, &pool->config));

	/* on its way out of the sandbox */
	wire_encode(&pool_record_schema, &found, &wire);
	wire_free(&pool_record_schema, &found);
	assert_int_equal(wire_decode(&pool_record_schema, wire.data, wire.len, &found, NULL), 0);
	assert_string_equal(strmap_get(&found.config, "source"), "/dev/sdb");
	wire_free(&pool_record_schema, &found);
	buf_done(&text);
	buf_done(&wire);
	pool_record_free(pool);
}

static void test_pool_text_broken(void **state)
{
	static const char *const texts[] = { "",
					     "- a\n",
					     "name: [\n",
					     "name: x\nconfig: [a]\n",
					     "config: {source: {a: b}}\n",
					     "&a name: *a\n" };
	struct pool_record found = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_true(parse_pool(texts[i], &found) < 0);
		wire_free(&pool_record_schema, &found);
	}
	/* what is missing is for others to miss */
	assert_int_equal(parse_pool("driver: dir\n", &found), 0);
	assert_null(found.name);
	wire_free(&pool_record_schema, &found);
}

static void test_images(void **state)
{
	struct image_record *image = image_record_new(FINGERPRINT), *copy;
	struct err err = { 0 };

	(void)state;
	image_record_add_alias(image, "debian", "one");
	image_record_add_alias(image, "debian/trixie", NULL);
	image_record_add_alias(image, "debian", "two");
	assert_int_equal(image->aliases.len, 2);
	strmap_set(&image->properties, "description", "Debian\n(stable)");
	strv_push(&image->profiles, "default");
	assert_int_equal(image_record_validate(image, NULL), 0);
	copy = image_record_copy(image);
	assert_int_equal(copy->aliases.len, 2);
	assert_true(strmap_equal(&copy->properties, &image->properties));
	assert_true(image_record_remove_alias(copy, "debian"));
	assert_false(image_record_remove_alias(copy, "debian"));
	image_record_add_alias(copy, "../x", NULL);
	assert_int_equal(image_record_validate(copy, &err), -EINVAL);
	assert_non_null(str_after(err.msg, "image 0123456789ab: "));
	(void)image_record_remove_alias(copy, "../x");
	strmap_set(&copy->properties, "a b", "x");
	assert_int_equal(image_record_validate(copy, &err), -EINVAL);
	image_record_free(copy);
	replace_str(&image->fingerprint, "../../etc");
	assert_int_equal(image_record_validate(image, NULL), -EINVAL);
	image_record_free(image);
}

static void test_words(void **state)
{
	enum image_format format;
	enum warning_status status;

	(void)state;
	assert_int_equal(image_format_parse("split", &format), 0);
	assert_int_equal(format, IMAGE_SPLIT);
	assert_int_equal(image_format_parse("zip", &format), -EINVAL);
	assert_int_equal(warning_status_parse("resolved", &status), 0);
	assert_int_equal(status, WARNING_RESOLVED);
	assert_int_equal(warning_status_parse("", &status), -EINVAL);
	assert_string_equal(warning_severity_name(WARNING_MODERATE), "moderate");
}

static int parse(struct daemon_config *config, const char *text, struct err *err)
{
	return daemon_config_parse(config, text, strlen(text), err);
}

static void test_daemon_config(void **state)
{
	static const char text[] =
		"name: test1\n"
		"defaults: false\n"
		"network: { bridge: tbr0, ipv4: 10.9.8.1/24, ipv6: none }\n"
		"storage: { driver: dir, source: \"/srv/x\", reserve: 64MiB, wait: 5 }\n"
		"idmap:   { base: 2000000, size: 655360 }\n"
		"images:  { alpine_mirror: \"file:///mirror\", debian_mirror: \"\" }\n"
		"log:     { level: debug }\n";
	struct daemon_config config;

	(void)state;
	daemon_config_init(&config);
	assert_int_equal(parse(&config, "", NULL), 0);
	assert_string_equal(config.name, "sysctr");
	assert_true(config.defaults);
	assert_int_equal(config.idmap_base, 1000000);
	assert_int_equal(config.storage_wait_s, 60);
	assert_int_equal(parse(&config, text, NULL), 0);
	assert_string_equal(config.name, "test1");
	assert_false(config.defaults);
	assert_string_equal(config.network_bridge, "tbr0");
	assert_string_equal(config.network_ipv4, "10.9.8.1/24");
	assert_string_equal(config.network_ipv6, "none");
	assert_string_equal(config.storage_driver, "dir");
	assert_string_equal(config.storage_source, "/srv/x");
	assert_int_equal(config.storage_reserve_bytes, 64 << 20);
	assert_int_equal(config.storage_wait_s, 5);
	assert_int_equal(config.idmap_base, 2000000);
	assert_int_equal(config.idmap_size, 655360);
	assert_string_equal(config.alpine_mirror, "file:///mirror");
	assert_string_equal(config.debian_mirror, "");
	assert_int_equal(config.log_level, LOG_DEBUG);
	daemon_config_done(&config);
}

static void test_daemon_config_errors(void **state)
{
	static const struct {
		const char *text;
		const char *words;
	} cases[] = {
		{ "nmae: x\n", "did you mean \"name\"" },
		{ "network: { brigde: x }\n", "did you mean \"network.bridge\"" },
		{ "name: \"a b\"\n", "setting name=" },
		{ "name: ../x\n", "setting name=" },
		{ "network: x\n", "network: must hold" },
		{ "name: [a]\n", "name: must be a single value" },
		{ "- a\n", "must be a mapping" },
		{ "log: { level: loud }\n", "must be one of error" },
		{ "idmap: { base: 1 }\n", "must be from 65536" },
		{ "idmap: { base: 4000000000, size: 1000000000 }\n", "beyond the last id" },
		{ "storage: { source: relative }\n", "absolute path" },
		{ "images: { alpine_mirror: ftp://x }\n", "must be a URL" },
		{ "network: { ipv4: 10.0.0.1 }\n", "prefix" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct daemon_config config;
		struct err err = { 0 };

		daemon_config_init(&config);
		assert_int_equal(parse(&config, cases[i].text, &err), -EINVAL);
		if (!strstr(err.msg, cases[i].words))
			fail_msg("%s: %s", cases[i].text, err.msg);
		daemon_config_done(&config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_network_type),
		cmocka_unit_test(test_pools),
		cmocka_unit_test(test_pool_text),
		cmocka_unit_test(test_pool_text_broken),
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_daemon_config),
		cmocka_unit_test(test_daemon_config_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

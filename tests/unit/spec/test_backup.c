/* tests of spec/backup.h: the index of a backup, theirs and broken ones */
#include "spec/backup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

#define HEAD "name: c1\ntype: container\nconfig:\n  container:\n    name: old\n"

static int parse(const char *text, struct backup_index *index, struct err *err)
{
	return backup_parse_index(text, strlen(text), index, err);
}

static void assert_refused(const char *text, const char *why)
{
	struct backup_index index = { 0 };
	struct err err = { 0 };

	assert_true(parse(text, &index, &err) < 0);
	assert_non_null(strstr(err.msg, why));
	wire_free(&backup_index_schema, &index);
}

static void test_whole(void **state)
{
	static const char text[] = HEAD "    ephemeral: true\n"
					"    profiles: [default, web]\n"
					"    created_at: 2023-01-02T03:04:05Z\n"
					"    config: {limits.cpu: \"2\", user.x: on}\n"
					"    devices: {root: {type: disk, path: /}}\n"
					"  snapshots:\n"
					"  - name: c1/s0\n"
					"    expires_at: 0001-01-01T00:00:00Z\n"
					"    scheduled: true\n"
					"    size: 4096\n"
					"  - name: s1\n"
					"    size: -1\n";
	struct backup_index index = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(parse(text, &index, &err), 0);
	assert_string_equal(index.instance.name, "c1");
	assert_true(index.instance.ephemeral);
	assert_int_equal(strv_len(index.instance.profiles), 2);
	assert_string_equal(strmap_get(&index.instance.config, "user.x"), "on");
	assert_int_equal(index.instance.devices.len, 1);
	assert_int_equal(index.instance.created_wall_ns, INT64_C(1672628645) * 1000000000);
	assert_int_equal(index.snapshots.len, 2);
	assert_string_equal(index.snapshots.items[0].name, "s0");
	assert_int_equal(index.snapshots.items[0].expires_wall_ns, 0);
	assert_true(index.snapshots.items[0].scheduled);
	assert_int_equal(index.snapshots.items[0].size_bytes, 4096);
	assert_false(index.snapshots.items[1].scheduled);
	assert_int_equal(index.snapshots.items[1].size_bytes, 0);
	wire_free(&backup_index_schema, &index);
}

static void assert_volume_refused(const char *text, const char *why)
{
	struct backup_index index = { 0 };
	struct err err = { 0 };

	assert_true(backup_parse_volume_index(text, strlen(text), &index, &err) < 0);
	assert_non_null(strstr(err.msg, why));
	wire_free(&backup_index_schema, &index);
}

static void test_volume(void **state)
{
	static const char text[] =
		"name: data\n"
		"type: custom\n"
		"config:\n"
		"  volume: {name: data, description: d, config: {user.a: \"1\"}}\n"
		"  volume_snapshots:\n"
		"  - {name: s0, expires_at: 2023-01-02T03:04:05Z}\n"
		"volumes: {s0: 11111111-1111-4111-8111-111111111111}\n";
	struct backup_index index = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(backup_parse_volume_index(text, strlen(text), &index, &err), 0);
	assert_string_equal(index.instance.name, "data");
	assert_string_equal(strmap_get(&index.instance.config, "user.a"), "1");
	assert_int_equal(index.snapshots.len, 1);
	assert_true(index.snapshots.items[0].expires_wall_ns > 0);
	wire_free(&backup_index_schema, &index);
	assert_refused(text, "of type \"custom\"");
	assert_volume_refused("type: container\n", "not of a custom volume");
	assert_volume_refused("name: x\n", "not of a custom volume");
	assert_volume_refused("type: custom\n", "volume:");
	assert_volume_refused("type: custom\noptimized: true\n", "--optimized-storage");
	assert_volume_refused("type: custom\nconfig: {volume: {content_type: block}}\n", "blocks");
	assert_volume_refused("type: custom\nconfig: {volume: {}, volume_snapshots: x}\n", "list");
	assert_volume_refused(
		"type: custom\nconfig: {volume: {}, volume_snapshots: [{name: ..}]}\n", "snapshot");
}

/* What a side file has besides. */
static void test_side_file(void **state)
{
	static const char text[] =
		HEAD "  profiles:\n"
		     "  - {name: web, config: {user.a: b}, devices: {d: {type: disk}}}\n"
		     "  snapshots: [{name: s0}]\n"
		     "volumes: {s0: c0ffee}\n"
		     "images: {\"\": f00, s0: f01}\n";
	struct backup_index index = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(parse(text, &index, &err), 0);
	assert_int_equal(index.profiles.len, 1);
	assert_string_equal(index.profiles.items[0].name, "web");
	assert_string_equal(strmap_get(&index.profiles.items[0].config, "user.a"), "b");
	assert_int_equal(index.profiles.items[0].devices.len, 1);
	assert_string_equal(strmap_get(&index.volumes, "s0"), "c0ffee");
	assert_string_equal(strmap_get(&index.images, ""), "f00");
	assert_string_equal(strmap_get(&index.images, "s0"), "f01");
	wire_free(&backup_index_schema, &index);
	assert_refused(HEAD "  profiles: [x]\n", "a profile");
	assert_refused(HEAD "volumes: [s0]\n", "volumes");
}

/* What goes to the daemon comes out of it the same. */
static void test_wire(void **state)
{
	struct backup_index index = { 0 }, copy = { 0 };
	struct buf bytes = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(parse(HEAD "    config: {a: b}\n    devices: {d: {type: nic}}\n"
				    "  snapshots: [{name: s0, config: {c: d}}]\n",
			       &index, &err),
			 0);
	wire_encode(&backup_index_schema, &index, &bytes);
	assert_int_equal(wire_decode(&backup_index_schema, bytes.data, bytes.len, &copy, &err), 0);
	assert_string_equal(strmap_get(&copy.instance.config, "a"), "b");
	assert_string_equal(strmap_get(&copy.instance.devices.items[0].options, "type"), "nic");
	assert_string_equal(strmap_get(&copy.snapshots.items[0].config, "c"), "d");
	buf_done(&bytes);
	wire_free(&backup_index_schema, &index);
	wire_free(&backup_index_schema, &copy);
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused("", "must be a map");
	assert_refused("[]", "must be a map");
	assert_refused("name: c1\n", "is missing");
	assert_refused("config: {container: x}\n", "must be a map");
	assert_refused(HEAD "optimized: true\n", "optimized-storage");
	assert_refused(HEAD "optimized: perhaps\n", "true or false");
	assert_refused("type: custom\n", "of type \"custom\"");
	assert_refused(HEAD "    ephemeral: 7\n", "true or false");
	assert_refused(HEAD "    profiles: x\n", "must be a list");
	assert_refused(HEAD "    config: {a: [b]}\n", "must be a string");
	assert_refused(HEAD "    devices: {a: b}\n", "must be an object");
	assert_refused(HEAD "  snapshots: {a: b}\n", "must be a list");
	assert_refused(HEAD "  snapshots: [a]\n", "must be a map");
	assert_refused(HEAD "  snapshots: [{}]\n", "snapshot name is missing");
	assert_refused(HEAD "  snapshots: [{name: a/}]\n", "snapshot name is missing");
	assert_refused(HEAD "  snapshots: [{name: a}, {name: b/a}]\n", "twice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_volume),	  cmocka_unit_test(test_whole),
		cmocka_unit_test(test_side_file), cmocka_unit_test(test_wire),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

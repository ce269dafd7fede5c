/* tests of spec/keys, spec/key and spec/value: what is accepted, and in which words not */
#include "spec/keys.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "spec/daemon_config.h"
#include "spec/device.h"
#include "spec/volume.h"

static void test_values(void **state)
{
	static const struct {
		const char *key;
		const char *good; /* separated by blanks */
		const char *bad;  /* separated by | */
	} cases[] = {
		{ "boot.autostart", "true false 1 0 yes on", "maybe|2|truee" },
		{ "boot.autostart.delay", "0 10 3600", "-1|3601|ten|1s|1.5" },
		{ "limits.cpu", "1 2 0-3 0,2 0-1,3 1-1 8191",
		  "0|-1|0-|3-1|1,,2|,1|1,|a|8192|0x1|1 2" },
		{ "limits.cpu.allowance", "1% 50% 100% 25ms/100ms 200ms/100ms",
		  "0%|101%|50|%|ms/ms|0ms/100ms|25ms/0ms|25ms/1001ms|25/100|25ms/100ms/1ms|-5%" },
		{ "limits.cpu.priority", "0 10", "11|-1" },
		{ "limits.memory", "512MiB 2GB 50% 1048576",
		  "0|1|101%|0%|lots|-1|512 MiB|99999999EB" },
		{ "limits.memory.enforce", "hard soft", "Hard|medium" },
		{ "limits.memory.swap", "true false 1GiB", "some|-1" },
		{ "limits.processes", "1 500 4194304", "0|-1|4194305" },
		{ "security.nesting", "true", "maybe" },
		{ "security.privileged", "true", "maybe" },
		{ "boot.host_shutdown_action", "stop force-stop", "stateful-stop|kill" },
		{ "limits.kernel.nofile", "1024 unlimited 1:2 5:unlimited",
		  "-1|x|2:1|unlimited:1|1:|:1|1:2:3|1 2" },
		{ "limits.memory.oom_priority", "-1000 0 1000", "-1001|1001|first" },
		{ "linux.kernel_modules", "overlay overlay,br_netfilter", "-r|a/b|a,../b|a;b" },
		{ "security.syscalls.deny_default", "true false", "maybe" },
		{ "linux.sysctl.net.ipv4.ip_forward", "1", "a\nb" },
		{ "linux.sysctl.kernel.shmmax", "1", "" },
		{ "environment.PATH", "/bin:/usr/bin", "a\nb|a\rb" },
		{ "volatile.eth0.hwaddr", "00:16:3e:00:00:01", "a\nb" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strv_freep) char **good = strv_split(cases[i].good, " ");
		_cleanup_(strv_freep) char **bad = strv_split(cases[i].bad, "|");

		for (char **value = good; *value; value++) {
			struct err err = { 0 };

			if (keys_validate_one(cases[i].key, *value, &err) != 0)
				fail_msg("%s", err.msg);
		}
		for (char **value = bad; value && *value; value++) {
			struct err err = { 0 };

			if (keys_validate_one(cases[i].key, *value, &err) != -EINVAL)
				fail_msg("%s=%s was accepted", cases[i].key, *value);
			assert_non_null(strstr(err.msg, cases[i].key));
			assert_non_null(strstr(err.msg, "must be"));
			assert_null(strpbrk(err.msg, "\n\r"));
		}
	}
}

static void test_messages(void **state)
{
	static const struct {
		const char *key, *value;
		enum err_kind kind;
		const char *words;
	} cases[] = {
		{ "limits.memroy", "1GB", ERR_INVALID,
		  "unknown instance key \"limits.memroy\": did you mean \"limits.memory\"?" },
		{ "limits.cpus", "1", ERR_INVALID, "did you mean \"limits.cpu\"?" },
		{ "colour", "red", ERR_INVALID, "unknown instance key \"colour\"" },
		{ "enviroment.TERM", "x", ERR_INVALID, "did you mean \"environment.TERM\"?" },
		{ "linux.sysctls.net.core.somaxconn", "1", ERR_INVALID,
		  "did you mean \"linux.sysctl.net.core.somaxconn\"?" },
		{ "user.", "x", ERR_INVALID, "unknown instance key \"user.\"" },
		{ "user.a b", "x", ERR_INVALID, "unknown instance key" },
		{ "environment.A=B", "x", ERR_INVALID, "unknown instance key" },
		{ "snapshots.schedule", "@sometimes", ERR_INVALID, "must have five fields" },
		{ "snapshots.schedule", "0 24 * * *", ERR_INVALID, "hour must be from 0 to 23" },
		{ "snapshots.keep", "hourly", ERR_INVALID, "must be words like" },
		{ "snapshots.expiry", "1h", ERR_INVALID, "must be a time like" },
		{ "snapshots.pattern", "{{ creation_date }}", ERR_INVALID, "must be of letters" },
		{ "snapshots.pattern", "/etc/passwd", ERR_INVALID, "must be of letters" },
		{ "security.guestapi", "true", ERR_UNSUPPORTED, "not supported here" },
		{ "security.guestapi", "", ERR_UNSUPPORTED, "not supported here" },
		{ "raw.lxc", "x", ERR_UNSUPPORTED, "\"raw.lxc\"" },
		{ "cloud-init.ssh-keys.me", "x", ERR_UNSUPPORTED, "not supported here" },
		{ "security.syscalls.allow", "x", ERR_UNSUPPORTED, "not supported here" },
		{ "limits.kernel.nofiles", "1", ERR_INVALID,
		  "did you mean \"limits.kernel.nofile\"" },
		{ "raw.idmap", "both 1000 1000\nuid 5", ERR_INVALID, "line 2: must be" },
		{ "linux.kernel_modules", "../x", ERR_INVALID, "must be names of kernel modules" },
		{ "limits.processes", "many", ERR_INVALID,
		  "instance key limits.processes=\"many\": must be a whole number" },
		{ "linux.sysctl.vm.swappiness", "1", ERR_INVALID, "sysctl of a namespace" },
		{ "linux.sysctl.kernel.core_pattern", "|/x", ERR_INVALID, "sysctl of a namespace" },
		{ "linux.sysctl.net.ipv4/../../x", "1", ERR_INVALID, "must name a sysctl" },
		{ "linux.sysctl.net..x", "1", ERR_INVALID, "must name a sysctl" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = { 0 };

		assert_true(keys_validate_one(cases[i].key, cases[i].value, &err) < 0);
		assert_int_equal(err.kind, cases[i].kind);
		if (!strstr(err.msg, cases[i].words))
			fail_msg("%s", err.msg);
	}
}

/* @refused: how many of them did not take the value. */
static void assert_messages(const struct key_table *table, const char *value, size_t *refused)
{
	for (size_t i = 0; i < table->n_rows; i++) {
		const struct key_row *row = &table->rows[i];
		_cleanup_(freep) char *key =
			xasprintf("%s%s", row->name, str_ends_with(row->name, ".") ? "nofile" : "");
		struct err err = { 0 };

		if (row->flags & KEY_ELSEWHERE || key_check(table, key, value, &err) == 0)
			continue;
		(*refused)++;
		if (!strstr(err.msg, key) || !strstr(err.msg, value) || !strstr(err.msg, "must "))
			fail_msg("%s", err.msg);
	}
}

/* Whatever is wrong with a value: the message has the key, the value, and what is right. */
static void test_messages_say_it_all(void **state)
{
	static const char *const values[] = { "?bad?", "-7", "99999999999999999999", "/../x",
					      "a,,b:%" };
	const char *const *type = device_type_names();
	size_t refused = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		assert_messages(&instance_keys, values[i], &refused);
		assert_messages(&daemon_keys, values[i], &refused);
		for (const char *const *name = type; *name; name++)
			assert_messages(device_options(*name), values[i], &refused);
	}
	assert_true(refused > 200);
}

/* Threat E1: whatever key there is, a value with a line break passes only where text is meant. */
static void test_no_line_breaks_in_any_key(void **state)
{
	static const char *const values[] = { "a\nb", "\n", "true\n", "1\r", "\r\n1", "50%\n" };

	(void)state;
	for (size_t i = 0; i < instance_keys.n_rows; i++) {
		const struct key_row *row = &instance_keys.rows[i];
		_cleanup_(freep) char *key =
			xasprintf("%s%s", row->name, str_ends_with(row->name, ".") ? "x" : "");

		for (size_t v = 0; v < ARRAY_LEN(values); v++) {
			int r = keys_validate_one(key, values[v], NULL);

			if (row->rule.type != VALUE_TEXT || row->flags & KEY_ELSEWHERE)
				assert_true(r < 0);
		}
	}
}

/* All of @directory's files that end with @ending, one after the other. */
static void read_files(const char *directory, const char *ending, struct buf *out)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		_cleanup_(freep) char *path = xasprintf("%s/%s", directory, entry->d_name);
		FILE *file = str_ends_with(path, ending) ? fopen(path, "re") : NULL;
		size_t n;

		if (!file)
			continue;
		while ((n = fread(buf_reserve(out, BUFSIZ), 1, BUFSIZ, file)) > 0)
			out->len += n;
		(void)fclose(file);
	}
	(void)closedir(dir);
	buf_add(out, "", 0);
}

static void test_every_key_has_a_system_test(void **state)
{
	_cleanup_(freep) char *path =
		xasprintf("%s/tests/system", getenv("SYSCTR_SRCDIR") ?: "../..");
	struct buf tests = { 0 };

	(void)state;
	read_files(path, ".bats", &tests);
	for (size_t i = 0; i < instance_keys.n_rows; i++) {
		const struct key_row *row = &instance_keys.rows[i];

		if (!(row->flags & KEY_ELSEWHERE) && !strstr(buf_str(&tests), row->name))
			fail_msg("no file of tests/system has the key %s", row->name);
	}
	buf_done(&tests);
}

static void test_table_is_sane(void **state)
{
	(void)state;
	for (size_t i = 0; i < instance_keys.n_rows; i++) {
		const struct key_row *row = &instance_keys.rows[i];

		assert_false(str_empty(row->help));
		if (row->initial && !(row->flags & KEY_ELSEWHERE))
			assert_int_equal(keys_validate_one(row->name, row->initial, NULL), 0);
		if (i > 0)
			assert_true(strcmp(instance_keys.rows[i - 1].name, row->name) < 0);
		assert_non_null(value_type_name(row->rule.type));
	}
}

static void test_volume_schedules(void **state)
{
	static const struct {
		const char *key, *value, *words; /* NULL: fine */
	} rows[] = {
		{ "snapshots.schedule", "@daily", NULL },
		{ "snapshots.schedule", "@hourly, @startup", "is for instances" },
		{ "snapshots.schedule", "sometimes", "five fields" },
		{ "snapshots.pattern", "a/%d", "letters" },
		{ "snapshots.keep", "last=2", NULL },
		{ "snapshots.expiry.manual", "3d", NULL },
		{ "snapshots.expiry", "soon", "snapshots.expiry" },
		{ "snapshots.else", "1", "snapshots.else" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };

		assert_int_equal(key_check(&volume_keys, rows[i].key, rows[i].value, &err) < 0,
				 rows[i].words != NULL);
		assert_true(!rows[i].words || strstr(err.msg, rows[i].words));
	}
}

static void test_reads(void **state)
{
	struct strmap config = { 0 };

	(void)state;
	strmap_set(&config, "boot.autostart", "yes");
	strmap_set(&config, "boot.stop.priority", "7");
	strmap_set(&config, "limits.cpu", "");
	assert_int_equal(keys_validate(&config, NULL), 0);
	assert_true(keys_get_bool(&config, "boot.autostart", false));
	assert_true(keys_get_bool(&config, "security.nesting", true));
	assert_int_equal(keys_get_int(&config, "boot.stop.priority", 0), 7);
	assert_int_equal(keys_get_int(&config, "limits.cpu", 3), 3);
	assert_null(keys_get(&config, "limits.cpu", NULL));
	keys_drop_empty(&config);
	assert_int_equal(config.len, 2);
	strmap_done(&config);
}

static void test_value_sizes_are_bounded(void **state)
{
	_cleanup_(freep) char *big = xcalloc(1, 2 * 1024 * 1024);

	(void)state;
	memset(big, 'x', 2 * 1024 * 1024 - 1);
	assert_int_equal(keys_validate_one("user.x", big, NULL), -EINVAL);
	big[1024 * 1024] = '\0';
	assert_int_equal(keys_validate_one("user.x", big, NULL), 0);
	assert_int_equal(keys_validate_one("environment.x", big, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_messages_say_it_all),
		cmocka_unit_test(test_no_line_breaks_in_any_key),
		cmocka_unit_test(test_table_is_sane),
		cmocka_unit_test(test_every_key_has_a_system_test),
		cmocka_unit_test(test_volume_schedules),
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_value_sizes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

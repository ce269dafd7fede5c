/* tests of exec/passwd: what a container's files and a user's words may say */
#include "exec/passwd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "# comment\n"
			     "+::::::\n"
			     "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
			     "short:x:5:5:six fields:/home\n"
			     "long:x:5:5:a:/home:/bin/sh:eight\n"
			     "plus:x:+6:6::/home/plus:/bin/sh\n"
			     "neg:x:-1:6::/home/neg:/bin/sh\n"
			     "max:x:4294967295:6::/home/max:/bin/sh\n"
			     "wrap:x:4294967296:0::/home/wrap:/bin/sh\n"
			     "hex:x:0x0:0::/home/hex:/bin/sh\n"
			     "octal:x:010:0::/home/octal:/bin/sh\n"
			     "nouid:x::0::/home/nouid:/bin/sh\n"
			     "space:x: 0:0::/home/space:/bin/sh\n"
			     "john.doe:x:1000:1000:John,,,:/home/john:/bin/zsh\n"
			     "john.doe:x:0:0:second:/root:/bin/sh\n"
			     ":x:7:7::/:/bin/sh\n"
			     "12:x:0:0:a number as name:/root:/bin/sh\n"
			     "empty:x:8:8:::\n"
			     "last:x:9:9::/home/last:/bin/last";

static void test_user_strings(void **state)
{
	static const struct {
		const char *text;
		int result;
		const char *name;
		uint32_t uid;
		bool has_gid;
		uint32_t gid;
	} cases[] = {
		{ "root", 0, "root", 0, false, 0 },
		{ "_apt", 0, "_apt", 0, false, 0 },
		{ "smb$", 0, "smb$", 0, false, 0 },
		{ "0", 0, NULL, 0, false, 0 },
		{ "1", 0, NULL, 1, false, 0 },
		{ "1:1", 0, NULL, 1, true, 1 },
		{ "4294967294:0", 0, NULL, 4294967294u, true, 0 },
		{ "", -EINVAL, NULL, 0, false, 0 },
		{ "0x0", -EINVAL, NULL, 0, false, 0 },
		{ "+0", -EINVAL, NULL, 0, false, 0 },
		{ "-1", -EINVAL, NULL, 0, false, 0 },
		{ " 0", -EINVAL, NULL, 0, false, 0 },
		{ "0 ", -EINVAL, NULL, 0, false, 0 },
		{ "00", -EINVAL, NULL, 0, false, 0 },
		{ "01", -EINVAL, NULL, 0, false, 0 },
		{ "1\n", -EINVAL, NULL, 0, false, 0 },
		{ "root:", -EINVAL, NULL, 0, false, 0 },
		{ "root:root", -EINVAL, NULL, 0, false, 0 },
		{ "1:", -EINVAL, NULL, 0, false, 0 },
		{ ":1", -EINVAL, NULL, 0, false, 0 },
		{ "1:1:1", -EINVAL, NULL, 0, false, 0 },
		{ "1:root", -EINVAL, NULL, 0, false, 0 },
		{ "4294967295", -EINVAL, NULL, 0, false, 0 },
		{ "4294967296", -EINVAL, NULL, 0, false, 0 },
		{ "18446744073709551616", -EINVAL, NULL, 0, false, 0 },
		{ "99999999999999999999999999", -EINVAL, NULL, 0, false, 0 },
		{ "1:4294967295", -EINVAL, NULL, 0, false, 0 },
		{ "../root", -EINVAL, NULL, 0, false, 0 },
		{ "-root", -EINVAL, NULL, 0, false, 0 },
		{ "ro ot", -EINVAL, NULL, 0, false, 0 },
		{ "1e0", -EINVAL, NULL, 0, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct user_ref ref = { 0 };

		assert_int_equal(user_ref_parse(cases[i].text, &ref), cases[i].result);
		if (cases[i].result < 0)
			continue;
		if (cases[i].name)
			assert_string_equal(ref.name, cases[i].name);
		else
			assert_null(ref.name);
		assert_int_equal(ref.uid, cases[i].uid);
		assert_int_equal(ref.has_gid, cases[i].has_gid);
		assert_int_equal(ref.gid, cases[i].gid);
	}
}

static void test_group_strings(void **state)
{
	static const char *const refused[] = { "",   "0x0", "+0",  " 0",     "00",
					       "-1", "a:b", "1:1", "wheel ", "4294967295" };
	static const char groups[] =
		"root:x:0:root\nbad:x:00:\nwheel:x:10:\nwheel:x:0:\nshort:x:5\n";
	const char *name;
	uint32_t gid = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_int_equal(group_ref_parse(refused[i], &name, &gid), -EINVAL);
	assert_int_equal(gid, 77);
	assert_int_equal(group_ref_parse("10", &name, &gid), 0);
	assert_null(name);
	assert_int_equal(gid, 10);
	assert_int_equal(group_ref_parse("wheel", &name, &gid), 0);
	assert_string_equal(name, "wheel");
	assert_int_equal(passwd_find_group(groups, strlen(groups), "wheel", &gid), 0);
	assert_int_equal(gid, 10);
	assert_int_equal(passwd_find_group(groups, strlen(groups), "bad", &gid), -ENOENT);
	assert_int_equal(passwd_find_group(groups, strlen(groups), "short", &gid), -ENOENT);
	assert_int_equal(passwd_find_group(groups, strlen(groups), "whee", &gid), -ENOENT);
}

static void test_find(void **state)
{
	static const struct {
		const char *name;
		uint32_t uid;
		int result;
		const char *home;
	} cases[] = {
		{ "root", 0, 0, "/root" },
		{ "daemon", 1, 0, "/usr/sbin" },
		{ "john.doe", 1000, 0, "/home/john" },
		{ "empty", 8, 0, "" },
		{ "last", 9, 0, "/home/last" },
		{ NULL, 1000, 0, "/home/john" },
		{ NULL, 9, 0, "/home/last" },
		{ NULL, 7, -ENOENT, NULL },
		{ NULL, 4242, -ENOENT, NULL },
		{ "short", 0, -ENOENT, NULL },
		{ "long", 0, -ENOENT, NULL },
		{ "plus", 0, -ENOENT, NULL },
		{ "neg", 0, -ENOENT, NULL },
		{ "max", 0, -ENOENT, NULL },
		{ "wrap", 0, -ENOENT, NULL },
		{ "hex", 0, -ENOENT, NULL },
		{ "octal", 0, -ENOENT, NULL },
		{ "nouid", 0, -ENOENT, NULL },
		{ "space", 0, -ENOENT, NULL },
		{ "12", 0, -ENOENT, NULL },
		{ "roo", 0, -ENOENT, NULL },
		{ "rootx", 0, -ENOENT, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct passwd_entry entry = { 0 };
		int r = passwd_find(passwd, strlen(passwd), cases[i].name, cases[i].uid, &entry);

		assert_int_equal(r, cases[i].result);
		if (r == 0) {
			assert_int_equal(entry.uid, cases[i].uid);
			assert_string_equal(entry.home, cases[i].home);
		}
		passwd_entry_done(&entry);
	}
}

static void test_hostile_bytes(void **state)
{
	static const char nul[] = "root\0:x:0:0::/:/bin/sh\nx\0root:x:0:0::/:/bin/sh\n";
	_cleanup_(freep) char *huge = xcalloc(1, 100001);
	struct passwd_entry entry = { 0 };

	(void)state;
	assert_int_equal(passwd_find(nul, sizeof(nul) - 1, "root", 0, &entry), -ENOENT);
	assert_int_equal(passwd_find("", 0, "root", 0, &entry), -ENOENT);
	assert_int_equal(passwd_find("\n\n\n", 3, "root", 0, &entry), -ENOENT);
	memset(huge, 'a', 100000); /* one line, longer than any */
	assert_int_equal(passwd_find(huge, 100000, "root", 0, &entry), -ENOENT);
	memset(huge, ':', 100000);
	assert_int_equal(passwd_find(huge, 100000, "root", 0, &entry), -ENOENT);
	/* not terminated: only the length counts */
	assert_int_equal(passwd_find("root:x:0:0::/:/bin/shXXXX", 21, "root", 0, &entry), 0);
	assert_string_equal(entry.shell, "/bin/sh");
	passwd_entry_done(&entry);
}

static const char group[] = "root:x:0:\n"
			    "adm:x:4:syslog,john\n"
			    "john:x:1000:\n"
			    "sudo:x:27:john\n"
			    "again:x:27:john\n"
			    "johnny:x:30:johnny,xjohn\n"
			    "bad:x:-1:john\n"
			    "worse:x:0x0:john\n"
			    "none:x::john\n"
			    "five:x:31:john:more\n"
			    "three:x:32\n"
			    "empty:x:33:,,john,,\n"
			    "primary:x:100:john";

static void test_groups(void **state)
{
	static const uint32_t wanted[] = { 4, 27, 33 };
	uint32_t gids[PASSWD_GROUPS_MAX];

	(void)state;
	assert_int_equal(passwd_find_groups(group, strlen(group), "john", 100, gids), 3);
	assert_memory_equal(gids, wanted, sizeof(wanted));
	assert_int_equal(passwd_find_groups(group, strlen(group), "nobody", 0, gids), 0);
	assert_int_equal(passwd_find_groups("", 0, "john", 0, gids), 0);
}

static void test_too_many_groups(void **state)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	uint32_t gids[PASSWD_GROUPS_MAX];

	(void)state;
	for (int i = 0; i < PASSWD_GROUPS_MAX; i++)
		buf_printf(&text, "g%d:x:%d:john\n", i, i + 1);
	assert_int_equal(passwd_find_groups(text.data, text.len, "john", 0, gids),
			 PASSWD_GROUPS_MAX);
	buf_add_str(&text, "more:x:70000:john\n");
	assert_int_equal(passwd_find_groups(text.data, text.len, "john", 0, gids), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user_strings), cmocka_unit_test(test_group_strings),
		cmocka_unit_test(test_find),	     cmocka_unit_test(test_hostile_bytes),
		cmocka_unit_test(test_groups),	     cmocka_unit_test(test_too_many_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

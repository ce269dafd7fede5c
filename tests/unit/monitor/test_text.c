/* tests of the monitor's small texts: status file, init's environment, notifications */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "monitor/initenv.h"
#include "monitor/notify.h"
#include "monitor/status.h"

static void test_status(void **state)
{
	struct status status = {
		.name = "web1",
		.state = MON_RUNNING,
		.pid = 42,
		.monitor_pid = 41,
		.generation = 7,
		.started_wall_ns = 1000000005,
	};
	struct buf text = { 0 };

	(void)state;
	status_format(&status, &text);
	assert_string_equal(buf_str(&text),
			    "name=web1\nstate=running\npid=42\nmonitor=41\ngeneration=7\n"
			    "started=1970-01-01T00:00:01.000000005Z\n");
	text.len = 0;
	status = (struct status){ .name = "web1", .state = MON_STARTING, .monitor_pid = 41 };
	status_format(&status, &text);
	assert_string_equal(buf_str(&text),
			    "name=web1\nstate=starting\npid=0\nmonitor=41\ngeneration=0\n");
	buf_done(&text);
}

static void test_environment(void **state)
{
	struct inst_spec spec = { .uuid = (char *)"u-u-i-d" };
	char **argv, **env;

	(void)state;
	strmap_set(&spec.environment, "LANG", "C.UTF-8");
	initenv_make(&spec, INITKIND_SYSTEMD, &argv, &env);
	assert_string_equal(argv[0], "/sbin/init");
	assert_null(argv[1]);
	assert_true(strv_contains((const char *const *)env, "container=lxc"));
	assert_true(strv_contains((const char *const *)env, "container_uuid=u-u-i-d"));
	assert_true(strv_contains((const char *const *)env, "LANG=C.UTF-8"));
	assert_true(strv_contains((const char *const *)env, "NOTIFY_SOCKET=/run/host/notify"));
	strv_free(argv);
	strv_free(env);
	/* Others would hand it to every service. */
	strv_push(&spec.init.argv, "/bin/init");
	initenv_make(&spec, INITKIND_BUSYBOX, &argv, &env);
	assert_string_equal(argv[0], "/bin/init");
	assert_false(strv_contains((const char *const *)env, "NOTIFY_SOCKET=/run/host/notify"));
	strv_free(argv);
	strv_free(env);
	strv_free(spec.init.argv);
	strmap_done(&spec.environment);
}

static void test_sysctl_path(void **state)
{
	static const struct {
		const char *key;
		const char *path; /* NULL: refused */
	} cases[] = {
		{ "net.ipv4.ip_forward", "net/ipv4/ip_forward" },
		{ "net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding" },
		{ "", NULL },
		{ "..kernel", NULL },
		{ "kernel..x", NULL },
		{ "net.//.//.etc.passwd", NULL },
		{ ".etc.passwd", NULL },
	};
	char path[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int r = initenv_sysctl_path(cases[i].key, path, sizeof(path));

		assert_int_equal(r == 0, cases[i].path != NULL);
		if (r == 0)
			assert_string_equal(path, cases[i].path);
	}
}

static void test_ready(void **state)
{
	static const struct {
		const char *text;
		bool ready;
	} cases[] = {
		{ "READY=1", true },	 { "STATUS=up\nREADY=1\n", true },
		{ "READY=10", false },	 { "XREADY=1", false },
		{ "", false },		 { "READY=0\n", false },
		{ "\n\nREADY=1", true }, { "STATUS=READY=1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(notify_says_ready(cases[i].text, strlen(cases[i].text)),
				 cases[i].ready);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_sysctl_path),
		cmocka_unit_test(test_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

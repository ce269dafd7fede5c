/* tests of monitor/initkind: detection in made-up roots, without privilege */
#include "monitor/initkind.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/fd.h"

enum {
	SIGRTMIN_SYSTEMD = 34
};

static void test_classify(void **state)
{
	static const struct {
		const char *target;
		enum initkind kind;
	} cases[] = {
		{ "/usr/lib/systemd/systemd", INITKIND_SYSTEMD },
		{ "/bin/busybox", INITKIND_BUSYBOX },
		{ "/sbin/openrc-init", INITKIND_OPENRC },
		{ "/sbin/init", INITKIND_SYSVINIT },
		{ "/usr/bin/runit-init", INITKIND_RUNIT },
		{ "/bin/sh", INITKIND_UNKNOWN },
		{ "", INITKIND_UNKNOWN },
		{ "systemd/", INITKIND_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(initkind_classify(cases[i].target), cases[i].kind);
}

static void test_signals(void **state)
{
	(void)state;
	assert_int_equal(initkind_row(INITKIND_SYSTEMD)->halt_signal, SIGRTMIN_SYSTEMD + 3);
	assert_int_equal(initkind_row(INITKIND_BUSYBOX)->halt_signal, SIGUSR2);
	assert_int_equal(initkind_row(INITKIND_SYSVINIT)->halt_signal, SIGPWR);
	for (unsigned int kind = 0; kind < INITKIND_MAX; kind++) {
		assert_non_null(initkind_row(kind)->name);
		assert_int_not_equal(initkind_row(kind)->halt_signal, 0);
	}
}

/* An absolute link is followed inside the root, never on the host. */
static void test_detect(void **state)
{
	char dir[] = "/tmp/sysctr-test-XXXXXX";
	int root_fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	root_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(initkind_detect(root_fd, "/sbin/init"), INITKIND_UNKNOWN);
	assert_int_equal(mkdirat(root_fd, "sbin", 0755), 0);
	assert_int_equal(symlinkat("/lib/x/systemd", root_fd, "sbin/init"), 0);
	assert_int_equal(initkind_detect(root_fd, "/sbin/init"), INITKIND_UNKNOWN);
	assert_int_equal(mkdirat(root_fd, "lib", 0755), 0);
	assert_int_equal(mkdirat(root_fd, "lib/x", 0755), 0);
	(void)fd_close(openat(root_fd, "lib/x/systemd", O_CREAT | O_WRONLY | O_CLOEXEC, 0755));
	assert_int_equal(initkind_detect(root_fd, "/sbin/init"), INITKIND_SYSTEMD);
	assert_int_equal(unlinkat(root_fd, "lib/x/systemd", 0), 0);
	assert_int_equal(unlinkat(root_fd, "lib/x", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(root_fd, "lib", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(root_fd, "sbin/init", 0), 0);
	assert_int_equal(unlinkat(root_fd, "sbin", AT_REMOVEDIR), 0);
	(void)fd_close(root_fd);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classify),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_detect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

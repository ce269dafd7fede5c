/* tests of core/seccomp: the compiled filter is installed in a child, which needs no privilege */
#include "core/seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/macro.h"
#include "os/seccomp.h"

enum {
	X32_BIT = 0x40000000,
	I386_GETPID = 20,
	I386_SYSLOG = 103,
	I386_INIT_MODULE = 128,
};

/* One call of the child; NULL arguments, which the kernel refuses otherwise if the filter does not. */
struct probe {
	const char *name;
	long number;
	long second; /* argument */
	int error;   /* 0: anything but EPERM and ENOSYS */
};

static const struct probe probes[] = {
	{ "kexec_load", SYS_kexec_load, 0, EPERM },
	{ "kexec_file_load", SYS_kexec_file_load, -1, EPERM },
	{ "open_by_handle_at", SYS_open_by_handle_at, 0, EPERM },
	{ "init_module", SYS_init_module, 0, EPERM },
	{ "finit_module", SYS_finit_module, 0, EPERM },
	{ "delete_module", SYS_delete_module, 0, EPERM },
	{ "settimeofday", SYS_settimeofday, 0, EPERM },
	{ "clock_settime", SYS_clock_settime, 0, EPERM },
	{ "syslog", SYS_syslog, 0, EPERM },
	{ "swapon", SYS_swapon, 0, EPERM },
	{ "swapoff", SYS_swapoff, 0, EPERM },
	{ "quotactl", SYS_quotactl, 0, EPERM },
	{ "acct", SYS_acct, 0, EPERM },
#ifdef __x86_64__
	{ "iopl", SYS_iopl, 0, EPERM },
	{ "ioperm", SYS_ioperm, 0, EPERM },
	{ "x32 getpid", X32_BIT | SYS_getpid, 0, ENOSYS },
	{ "x32 ioctl", X32_BIT | 514, TIOCSTI, ENOSYS },
#endif
	{ "TIOCSTI", SYS_ioctl, TIOCSTI, EPERM },
	{ "TIOCSTI with a high bit", SYS_ioctl, TIOCSTI | 1L << 32, EPERM },
	{ "TIOCLINUX", SYS_ioctl, TIOCLINUX, EPERM },
	{ "TIOCGWINSZ", SYS_ioctl, TIOCGWINSZ, 0 },
	{ "umount2 MNT_FORCE", SYS_umount2, MNT_FORCE, EPERM },
	{ "umount2 MNT_FORCE and more", SYS_umount2, MNT_FORCE | MNT_DETACH, EPERM },
	{ "getpid", SYS_getpid, 0, 0 },
	{ "keyctl", SYS_keyctl, 0, 0 },
	{ "adjtimex", SYS_adjtimex, 0, 0 },
};

/* In the child. Returns: 0, or 1 + the number of the probe that went wrong. */
static int run_probes(const struct buf *filter)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    seccomp_install(filter->data, filter->len) < 0)
		return 255;
	for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
		long r = syscall(probes[i].number, -1L, probes[i].second, 0L, 0L, 0L);
		int error = r < 0 ? errno : 0;
		bool as_wanted = probes[i].error ? error == probes[i].error
						 : error != EPERM && error != ENOSYS;

		if (!as_wanted)
			return 1 + (int)i;
	}
	return 0;
}

static void test_probes(void **state)
{
	_cleanup_(buf_done) struct buf filter = { 0 };
	struct err err = { 0 };
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(seccomp_compile(&(struct seccomp_policy){ 0 }, &filter, &err), 0);
	assert_true(filter.len > 0 && filter.len % sizeof(struct sock_filter) == 0);
	pid = fork();
	if (pid == 0)
		_exit(run_probes(&filter));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 255)
		fail_msg("the filter was not taken");
	if (WEXITSTATUS(status) > 0)
		fail_msg("%s", probes[WEXITSTATUS(status) - 1].name);
}

#ifdef __x86_64__
static long call_i386(long number)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(0L), "c"(0L), "d"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

/* Returns: 0 as wanted, 2: this kernel has no 32-bit calls; others end the process by SIGSEGV. */
static int run_i386_probes(const struct buf *filter)
{
	(void)signal(SIGSEGV, SIG_DFL);
	if (call_i386(I386_GETPID) != getpid())
		return 2;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    seccomp_install(filter->data, filter->len) < 0)
		return 3;
	if (call_i386(I386_GETPID) != getpid())
		return 4;
	return call_i386(I386_SYSLOG) == -EPERM && call_i386(I386_INIT_MODULE) == -EPERM ? 0 : 5;
}

static void test_i386(void **state)
{
	_cleanup_(buf_done) struct buf filter = { 0 };
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(seccomp_compile(&(struct seccomp_policy){ 0 }, &filter, NULL), 0);
	pid = fork();
	if (pid == 0)
		_exit(run_i386_probes(&filter));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if ((WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) ||
	    (WIFEXITED(status) && WEXITSTATUS(status) == 2)) {
		print_message("# kernel: no 32-bit calls, so that way is closed to everybody\n");
		return;
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probes),
#ifdef __x86_64__
		cmocka_unit_test(test_i386),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

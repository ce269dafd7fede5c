/*
 * sysprobe.c - call what a container must not; run inside one, built for each ABI by isolation.bats
 *
 * Prints "name errno" for each, "name 0" for one that worked. Arguments are such that a call that
 * is let through does no harm.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define X32_BIT 0x40000000

struct probe {
	const char *name;
	long number;
	long args[4];
};

static char empty[256];
static const struct probe probes[] = {
	{ "open_by_handle_at", SYS_open_by_handle_at, { AT_FDCWD, (long)empty, O_RDONLY } },
	{ "kexec_load", SYS_kexec_load, { 0, 0, 0, 0 } },
	{ "init_module", SYS_init_module, { (long)empty, 0, (long)empty } },
	{ "finit_module", SYS_finit_module, { -1, (long)empty, 0 } },
	{ "delete_module", SYS_delete_module, { (long)"no-such-module", O_NONBLOCK } },
	{ "iopl", SYS_iopl, { 3 } },
	{ "ioperm", SYS_ioperm, { 0, 1, 1 } },
	{ "swapon", SYS_swapon, { (long)"/nowhere", 0 } },
	{ "swapoff", SYS_swapoff, { (long)"/nowhere" } },
	{ "syslog", SYS_syslog, { 3, (long)empty, 1 } },
	{ "acct", SYS_acct, { (long)"/nowhere" } },
	{ "settimeofday", SYS_settimeofday, { (long)empty, 0 } },
	{ "quotactl", SYS_quotactl, { 0x800002 << 8, (long)"/nowhere", 0, (long)empty } },
};

int main(int argc, char **argv)
{
	long bit = argc > 1 && strcmp(argv[1], "x32") == 0 ? X32_BIT : 0;

	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		const struct probe *p = &probes[i];
		long r = syscall(p->number | bit, p->args[0], p->args[1], p->args[2], p->args[3]);

		(void)printf("%s %d\n", p->name, r < 0 ? errno : 0);
	}
	return 0;
}

/* core/seccomp.c - see seccomp.h */
#include "core/seccomp.h"

#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"
#include "spec/keys.h"

enum {
	FILTER_MAX_BYTES = 4096 * 8, /* BPF_MAXINSNS of 8 bytes; also less than a pipe holds */
	OPTIMIZE_BY_TREE = 2,	     /* a binary search instead of a list: half the cost */
};

/*
 * What acts on the whole host however it is called. The kernel refuses most of it to a container's
 * root anyway; this is for privileged containers and for the day when it does not. adjtimex stays:
 * reading the clock's state is legitimate, and setting it needs CAP_SYS_TIME, which no container has.
 */
static const struct {
	const char *name;
	int error;
} denied[] = {
	{ "acct", EPERM },
	{ "clock_settime", EPERM },
	{ "clock_settime64", EPERM },
	{ "delete_module", EPERM },
	{ "finit_module", EPERM },
	{ "init_module", EPERM },
	{ "ioperm", EPERM },
	{ "iopl", EPERM },
	{ "kexec_file_load", EPERM },
	{ "kexec_load", EPERM },
	{ "open_by_handle_at", EPERM }, /* opens any inode of the file system below */
	{ "quotactl", EPERM },
	{ "quotactl_fd", EPERM },
	{ "settimeofday", EPERM },
	{ "stime", EPERM },
	{ "swapoff", EPERM },
	{ "swapon", EPERM },
	{ "syslog", EPERM },
	{ "vm86", EPERM },
	{ "vm86old", EPERM },
	/* gone from kernels of today, or as good as gone */
	{ "_sysctl", ENOSYS },
	{ "create_module", ENOSYS },
	{ "get_kernel_syms", ENOSYS },
	{ "lookup_dcookie", ENOSYS },
	{ "nfsservctl", ENOSYS },
	{ "query_module", ENOSYS },
	{ "sysfs", ENOSYS },
	{ "uselib", ENOSYS },
};

/*
 * Refused by what the second argument says. The kernel looks at 32 bits of it: comparing all 64
 * would let a caller through who sets a higher one.
 */
static const struct {
	const char *name;
	uint64_t mask;
	uint64_t value;
} denied_by_argument[] = {
	{ "ioctl", UINT32_MAX, TIOCSTI },    /* types into the terminal of whoever looks at it */
	{ "ioctl", UINT32_MAX, TIOCLINUX },  /* pastes on a virtual console */
	{ "umount2", MNT_FORCE, MNT_FORCE }, /* aborts requests of others on a network mount */
};

static void release_filter(scmp_filter_ctx *filter)
{
	seccomp_release(*filter);
}

struct seccomp_policy seccomp_policy_of(const struct strmap *config)
{
	return (struct seccomp_policy){
		.no_default = !keys_get_bool(config, "security.syscalls.deny_default", true),
		.deny = keys_get(config, "security.syscalls.deny", NULL),
	};
}

static int unknown_call(const char *name, struct err *err)
{
	return err_kind(err, ERR_INVALID,
			"security.syscalls.deny: \"%.64s\" is no system call; names are expected, "
			"separated by blanks or lines",
			name);
}

int seccomp_policy_check(const struct seccomp_policy *policy, struct err *err)
{
	_cleanup_(strv_freep) char **names = policy->deny ? strv_split(policy->deny, ", \n") : NULL;

	for (char **name = names; name && *name; name++)
		if (seccomp_syscall_resolve_name(*name) == __NR_SCMP_ERROR)
			return unknown_call(*name, err);
	return 0;
}

/* Refused like the others: with EPERM. */
static int add_denied(scmp_filter_ctx filter, const struct seccomp_policy *policy, struct err *err)
{
	_cleanup_(strv_freep) char **names = policy->deny ? strv_split(policy->deny, ", \n") : NULL;

	for (char **name = names; name && *name; name++) {
		int number = seccomp_syscall_resolve_name(*name);
		int r;

		if (number == __NR_SCMP_ERROR)
			return unknown_call(*name, err);
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
		if (r < 0 && r != -EEXIST) /* in our own list with another error */
			return err_set(err, r, "seccomp rule for %s", *name);
	}
	return 0;
}

static int add_rules(scmp_filter_ctx filter, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(denied); i++) {
		int number = seccomp_syscall_resolve_name(denied[i].name);
		int r;

		if (number == __NR_SCMP_ERROR)
			continue; /* younger than this libseccomp */
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)denied[i].error), number, 0);
		if (r < 0)
			return err_set(err, r, "seccomp rule for %s", denied[i].name);
	}
	for (size_t i = 0; i < ARRAY_LEN(denied_by_argument); i++) {
		struct scmp_arg_cmp argument =
			SCMP_A1(SCMP_CMP_MASKED_EQ, denied_by_argument[i].mask,
				denied_by_argument[i].value);
		int number = seccomp_syscall_resolve_name(denied_by_argument[i].name);
		int r = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), number, 1, &argument);

		if (r < 0)
			return err_set(err, r, "seccomp rule for %s", denied_by_argument[i].name);
	}
	return 0;
}

/* The 32-bit programs of this machine are bound by the same rules; x32 is refused as a whole. */
static int add_abis(scmp_filter_ctx filter)
{
	static const struct {
		uint32_t native;
		uint32_t other;
	} abis[] = {
		{ SCMP_ARCH_X86_64, SCMP_ARCH_X86 },
		{ SCMP_ARCH_AARCH64, SCMP_ARCH_ARM },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(abis); i++)
		if (seccomp_arch_native() == abis[i].native)
			r = seccomp_arch_add(filter, abis[i].other);
	return r;
}

static int set_up(scmp_filter_ctx filter, const struct seccomp_policy *policy, struct err *err)
{
	int r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));

	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_BY_TREE);
	if (r == 0)
		r = add_abis(filter);
	if (r < 0)
		return err_set(err, r, "set up the seccomp filter");
	r = policy->no_default ? 0 : add_rules(filter, err);
	return r < 0 ? r : add_denied(filter, policy, err);
}

int seccomp_compile(const struct seccomp_policy *policy, struct buf *ret_filter, struct err *err)
{
	_cleanup_(release_filter) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	_cleanup_(fd_closep) int read_fd = -EBADF;
	_cleanup_(fd_closep) int write_fd = -EBADF;
	int fds[2];
	int r;

	if (!filter)
		return err_set(err, -ENOMEM, "begin the seccomp filter");
	r = set_up(filter, policy, err);
	if (r < 0)
		return r;
	r = fd_pipe(fds);
	if (r < 0)
		return err_set(err, r, "pipe for the seccomp filter");
	read_fd = fds[0];
	write_fd = fds[1];
	r = seccomp_export_bpf(filter, write_fd);
	write_fd = fd_close(write_fd);
	if (r == 0)
		r = fd_read_all(read_fd, FILTER_MAX_BYTES, ret_filter);
	return r < 0 ? err_set(err, r, "write out the seccomp filter") : 0;
}

/* os/sandbox_filter.c - see sandbox_filter.h */
#include "os/sandbox_filter.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/macro.h"

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#define FILTER_ARCH AUDIT_ARCH_RISCV64
#else
#error "os/sandbox_filter.c: add this machine's AUDIT_ARCH"
#endif

enum {
	X32_BIT = 0x40000000,
	PROGRAM_MAX = 512
};

/* Files relative to the root, memory, time, the report socket, the decompressor's process. */
static const int parser_calls[] = {
	SYS_read,	   SYS_readv,	     SYS_pread64,
	SYS_write,	   SYS_writev,	     SYS_pwrite64,
	SYS_lseek,	   SYS_close,	     SYS_close_range,
	SYS_openat,	   SYS_openat2,	     SYS_fstat,
	SYS_newfstatat,	   SYS_statx,	     SYS_statfs,
	SYS_fstatfs,	   SYS_getdents64,   SYS_readlinkat,
	SYS_faccessat,	   SYS_faccessat2,   SYS_ftruncate,
	SYS_truncate,	   SYS_fallocate,    SYS_mkdirat,
	SYS_unlinkat,	   SYS_symlinkat,    SYS_linkat,
	SYS_mknodat,
#ifdef SYS_renameat
	SYS_renameat, /* what the C library makes of renameat2() without flags */
#endif
	SYS_renameat2,	   SYS_fchmod,	     SYS_fchmodat,
	SYS_fchown,	   SYS_fchownat,     SYS_utimensat,
	SYS_setxattr,	   SYS_lsetxattr,    SYS_fsetxattr,
	SYS_getxattr,	   SYS_lgetxattr,    SYS_fgetxattr,
	SYS_listxattr,	   SYS_llistxattr,   SYS_flistxattr,
	SYS_removexattr,   SYS_lremovexattr, SYS_fremovexattr,
	SYS_chdir,	   SYS_fchdir,	     SYS_getcwd,
	SYS_umask,	   SYS_fcntl,	     SYS_pipe2,
	SYS_ppoll,	   SYS_sendmsg,	     SYS_sendto,
	SYS_recvmsg,	   SYS_recvfrom,     SYS_copy_file_range,
	SYS_splice,	   SYS_fadvise64,    SYS_fsync,
	SYS_fdatasync,	   SYS_mmap,	     SYS_munmap,
	SYS_mremap,	   SYS_mprotect,     SYS_madvise,
	SYS_brk,	   SYS_futex,	     SYS_getrandom,
	SYS_clock_gettime, SYS_gettimeofday, SYS_clock_nanosleep,
	SYS_nanosleep,	   SYS_getpid,	     SYS_getppid,
	SYS_gettid,	   SYS_getuid,	     SYS_geteuid,
	SYS_getgid,	   SYS_getegid,	     SYS_uname,
	SYS_prlimit64,	   SYS_rt_sigaction, SYS_rt_sigprocmask,
	SYS_rt_sigreturn,  SYS_sigaltstack,  SYS_restart_syscall,
	SYS_tgkill,	   SYS_clone,	     SYS_wait4,
	SYS_waitid,	   SYS_kill,	     SYS_set_robust_list,
	SYS_rseq,	   SYS_sched_yield,  SYS_sched_getaffinity,
	SYS_exit,	   SYS_exit_group,
#ifdef __x86_64__
	SYS_open,	   SYS_stat,	     SYS_lstat,
	SYS_access,	   SYS_readlink,     SYS_mkdir,
	SYS_rmdir,	   SYS_unlink,	     SYS_symlink,
	SYS_link,	   SYS_mknod,	     SYS_rename,
	SYS_chmod,	   SYS_chown,	     SYS_lchown,
	SYS_utimes,	   SYS_futimesat,    SYS_utime,
	SYS_pipe,	   SYS_poll,	     SYS_fork,
	SYS_vfork,	   SYS_time,	     SYS_creat,
	SYS_getdents,
#endif
};

/* Bytes from one socket to another. */
static const int relay_calls[] = {
	SYS_read,	 SYS_write,	      SYS_writev,	  SYS_close,
	SYS_splice,	 SYS_pipe2,	      SYS_socket,	  SYS_connect,
	SYS_accept4,	 SYS_shutdown,	      SYS_getsockopt,	  SYS_setsockopt,
	SYS_getsockname, SYS_getpeername,     SYS_recvfrom,	  SYS_recvmsg,
	SYS_sendto,	 SYS_sendmsg,	      SYS_epoll_create1,  SYS_epoll_ctl,
	SYS_epoll_pwait, SYS_fcntl,	      SYS_mmap,		  SYS_munmap,
	SYS_mremap,	 SYS_mprotect,	      SYS_madvise,	  SYS_brk,
	SYS_futex,	 SYS_getrandom,	      SYS_clock_gettime,  SYS_getpid,
	SYS_gettid,	 SYS_rt_sigaction,    SYS_rt_sigprocmask, SYS_rt_sigreturn,
	SYS_sigaltstack, SYS_restart_syscall, SYS_sched_yield,	  SYS_exit,
	SYS_exit_group,
#ifdef __x86_64__
	SYS_epoll_wait,
#endif
};

/* Programs of a build have no use for these; each has been a way out somewhere. */
static const int build_calls[] = {
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_open_by_handle_at,
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_syslog,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_adjtimex,
	SYS_quotactl,
	SYS_acct,
	SYS_process_vm_writev,
	SYS_process_vm_readv,
	SYS_ptrace,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_lookup_dcookie,
	SYS_move_pages,
	SYS_mbind,
	SYS_migrate_pages,
	SYS_vhangup,
	SYS_nfsservctl,
#ifdef __x86_64__
	SYS_iopl,
	SYS_ioperm,
	SYS_uselib,
	SYS_ustat,
	SYS_sysfs,
	SYS_modify_ldt,
#endif
};

struct rule {
	const int *calls;
	size_t n;
	uint32_t listed; /* SECCOMP_RET_* for a call of the list */
	uint32_t others;
};

static const struct rule rules[] = {
	[SANDBOX_FILTER_PARSER] = { parser_calls, ARRAY_LEN(parser_calls), SECCOMP_RET_ALLOW,
				    SECCOMP_RET_ERRNO | ENOSYS },
	[SANDBOX_FILTER_BUILD] = { build_calls, ARRAY_LEN(build_calls), SECCOMP_RET_ERRNO | EPERM,
				   SECCOMP_RET_ALLOW },
	[SANDBOX_FILTER_RELAY] = { relay_calls, ARRAY_LEN(relay_calls), SECCOMP_RET_ALLOW,
				   SECCOMP_RET_ERRNO | EPERM },
};
static_assert(ARRAY_LEN(rules) == SANDBOX_FILTER_MAX, "one rule per filter");
static_assert(2 * ARRAY_LEN(parser_calls) + 16 < PROGRAM_MAX, "the program has room");

/* Returns: number of instructions. */
static size_t assemble(const struct rule *rule, struct sock_filter *out)
{
	size_t n = 0;

	out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						offsetof(struct seccomp_data, arch));
	out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCH, 1, 0);
	out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						offsetof(struct seccomp_data, nr));
	out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	for (size_t i = 0; i < rule->n; i++) {
		out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							(uint32_t)rule->calls[i], 0, 1);
		out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, rule->listed);
	}
	out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, rule->others);
	return n;
}

int sandbox_filter_install(enum sandbox_filter filter)
{
	struct sock_filter program[PROGRAM_MAX];
	struct sock_fprog fprog = { .filter = program };

#ifdef WITH_SANITIZERS
	if (filter == SANDBOX_FILTER_PARSER)
		return 0; /* the sanitizers' run time makes calls of its own */
#endif
	/* A parser and a relay have no CAP_SYS_ADMIN and exec nothing; a build may run setuid programs. */
	if (filter != SANDBOX_FILTER_BUILD && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	fprog.len = (unsigned short)assemble(&rules[filter], program);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &fprog) < 0)
		return -errno;
	return 0;
}

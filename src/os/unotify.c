/* os/unotify.c - see unotify.h */
#include "os/unotify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"
#include "os/fd.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV /* Linux 5.19 */
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#define NATIVE_ARCH 0
#endif

/*
 * A caller that was read is interrupted by deadly signals only: with others it would come again and
 * again (seccomp_unotify(2)).
 */
static int install(const struct sock_fprog *prog)
{
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			  flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, prog);

	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, prog);
	return fd < 0 ? -errno : (int)fd;
}

static const struct {
	uint32_t bit;
	int nr;
} calls[] = {
	{ UNOTIFY_SYSINFO, SYS_sysinfo },
#ifdef SYS_mknod
	{ UNOTIFY_MKNOD, SYS_mknod },
#endif
	{ UNOTIFY_MKNOD, SYS_mknodat },
};

int unotify_listen(uint32_t mask)
{
	struct sock_filter filter[2 * ARRAY_LEN(calls) + 5] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog prog = { .len = 4, .filter = filter };

	if (NATIVE_ARCH == 0)
		return -ENOSYS;
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		if (!(calls[i].bit & mask))
			continue;
		filter[prog.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
								  (uint32_t)calls[i].nr, 0, 1);
		filter[prog.len++] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	}
	filter[prog.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return install(&prog);
}

int unotify_next(int listener_fd, struct unotify_call *ret_call)
{
	struct seccomp_notif notif;
	int r;

	do {
		memset(&notif, 0, sizeof(notif)); /* the kernel insists */
		r = ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &notif);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	*ret_call = (struct unotify_call){
		.id = notif.id,
		.pid = (pid_t)notif.pid,
		.nr = notif.data.nr,
	};
	memcpy(ret_call->args, notif.data.args, sizeof(ret_call->args));
	return 0;
}

bool unotify_is_valid(int listener_fd, const struct unotify_call *call)
{
	return ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &call->id) == 0;
}

/* Returns: descriptor of the caller's memory. */
static int open_memory(int listener_fd, const struct unotify_call *call, int flags)
{
	_cleanup_(fd_closep) int fd = -EBADF;
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", call->pid);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return unotify_is_valid(listener_fd, call) ? TAKE_FD(fd) : -ENOENT;
}

int unotify_read_text(int listener_fd, const struct unotify_call *call, uint64_t address,
		      char *ret_text, size_t size)
{
	_cleanup_(fd_closep) int fd = open_memory(listener_fd, call, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = pread(fd, ret_text, size, (off_t)address); /* short at the end of what is mapped */
	if (n <= 0)
		return -EFAULT;
	if (memchr(ret_text, '\0', (size_t)n))
		return 0;
	return (size_t)n == size ? -ENAMETOOLONG : -EFAULT;
}

int unotify_write(int listener_fd, const struct unotify_call *call, uint64_t address,
		  const void *bytes, size_t len)
{
	_cleanup_(fd_closep) int fd = open_memory(listener_fd, call, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = pwrite(fd, bytes, len, (off_t)address);
	if (n < 0 && errno != EIO) /* EIO: nothing is mapped there, proc(5) */
		return -errno;
	return n == (ssize_t)len ? 0 : -EFAULT;
}

static void respond(int listener_fd, struct seccomp_notif_resp *response)
{
	while (ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_SEND, response) < 0 && errno == EINTR)
		continue;
}

void unotify_answer(int listener_fd, const struct unotify_call *call, int error)
{
	respond(listener_fd, &(struct seccomp_notif_resp){ .id = call->id, .error = error });
}

void unotify_pass(int listener_fd, const struct unotify_call *call)
{
	respond(listener_fd, &(struct seccomp_notif_resp){
				     .id = call->id,
				     .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
			     });
}

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

int unotify_listen(int nr)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = ARRAY_LEN(filter), .filter = filter };

	return NATIVE_ARCH == 0 ? -ENOSYS : install(&prog);
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

int unotify_write(int listener_fd, const struct unotify_call *call, uint64_t address,
		  const void *bytes, size_t len)
{
	_cleanup_(fd_closep) int fd = -EBADF;
	char path[32];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", call->pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &call->id) < 0)
		return -errno;
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

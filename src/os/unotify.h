/*
 * os/unotify.h - system calls of others that this process answers (seccomp_unotify(2))
 *
 * Layer os. Small calls that do not block, but for unotify_next() on a listener that is not readable.
 *
 *   U1  A caller may be killed at any time and its pid be another's then: its memory is written to
 *       through a descriptor that was opened while the kernel still knew the call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct unotify_call {
	uint64_t id;
	pid_t pid; /* in our pid namespace */
	int nr;	   /* __NR_*, of the native ABI only */
	uint64_t args[6];
};

/* Which calls; a mask. */
enum unotify_calls {
	UNOTIFY_SYSINFO = 1 << 0,
	UNOTIFY_MKNOD = 1 << 1, /* mknod, where there is one, and mknodat */
};

/*
 * Have the system calls of @mask of this thread, of what it executes and of its children wait for the
 * reader of a listener; the native ABI only, other ABIs are not looked at. Needs CAP_SYS_ADMIN in
 * the caller's user namespace, as seccomp_install(). Returns: the listener, which is the caller's,
 * close-on-exec; -EBUSY when this process is under a listener already; -ENOSYS.
 */
int unotify_listen(uint32_t mask);

/* A readable listener's next call. Returns: 0; -ENOENT when its caller was killed meanwhile. */
int unotify_next(int listener_fd, struct unotify_call *ret_call);

/*
 * Write to the memory of the caller (U1), also to private pages that it may only read: they are its
 * own. Returns: 0; -ENOENT when it is gone; -EFAULT when it has
 * no such memory; -errno when we may not.
 */
int unotify_write(int listener_fd, const struct unotify_call *call, uint64_t address,
		  const void *bytes, size_t len);

/* Whether the caller still waits: then what was opened of its pid before is its own. */
bool unotify_is_valid(int listener_fd, const struct unotify_call *call);

/* End the call with 0 or @error (-errno). One that is gone is none of ours any more. */
void unotify_answer(int listener_fd, const struct unotify_call *call, int error);

/* Text in the caller's memory (U1), for instance a path. Errors: as unotify_write, -ENAMETOOLONG. */
int unotify_read_text(int listener_fd, const struct unotify_call *call, uint64_t address,
		      char *ret_text, size_t size);

/* Have the kernel do what was asked. */
void unotify_pass(int listener_fd, const struct unotify_call *call);

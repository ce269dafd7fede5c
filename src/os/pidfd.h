/* os/pidfd.h - processes by descriptor: no pid is ever signalled after it was reaped; plain */
#pragma once

#include <sys/types.h>

/* Returns: close-on-exec descriptor or -errno. */
int pidfd_of(pid_t pid);

int pidfd_signal(int pidfd, int signal);

/*
 * Reap the child behind @pidfd. @ret_status: a wait status as of waitpid(2).
 * Returns: 0, -ECHILD (not ours), -EAGAIN (still lives; only with @wait false).
 */
int pidfd_reap(int pidfd, int wait, int *ret_status);

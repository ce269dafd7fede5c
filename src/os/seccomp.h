/* os/seccomp.h - install a ready-made filter; compiling it is sysctrd's business */
#pragma once

#include <stddef.h>

/*
 * Install @len bytes of struct sock_filter[] for this thread, without setting no_new_privs: needs
 * CAP_SYS_ADMIN in the caller's user namespace. 0 bytes: nothing. Plain.
 * Errors: -EINVAL when @len is no whole number of instructions.
 */
int seccomp_install(const void *filter, size_t len);

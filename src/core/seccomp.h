/*
 * core/seccomp.h - the deny-list that every process of a container runs under, as bytes
 *
 * Layer core; sysctrd, which compiles it once. The monitor and sysctr-exec install the bytes.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* The keys security.syscalls.*; all zero is what containers have that set none. */
struct seccomp_policy {
	bool no_default; /* deny_default=false: the list of sysctr itself is left out */
	const char
		*deny; /* names of more system calls, separated by blanks, commas, lines; or NULL */
};

/* Of an expanded configuration; borrows from it. */
struct strmap;
struct seccomp_policy seccomp_policy_of(const struct strmap *config);

/* Errors: ERR_INVALID for what is no system call. */
int seccomp_policy_check(const struct seccomp_policy *policy, struct err *err);

/* Append struct sock_filter[] for all ABIs of this machine; other ABIs (x32) get ENOSYS. */
int seccomp_compile(const struct seccomp_policy *policy, struct buf *ret_filter, struct err *err);

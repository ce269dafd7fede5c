/*
 * core/seccomp.h - the deny-list that every process of a container runs under, as bytes
 *
 * Layer core; sysctrd, which compiles it once. The monitor and sysctr-exec install the bytes.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Append struct sock_filter[] for all ABIs of this machine; other ABIs (x32) get ENOSYS. */
int seccomp_compile(struct buf *ret_filter, struct err *err);

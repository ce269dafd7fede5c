/*
 * os/proclimit.h - limits and OOM preference of one process
 *
 * Layer: os. Monitor (of its child), exec helper (of itself). Never blocks. Plain; host root only.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* setrlimit of @pid, 0 for the caller; UINT64_MAX is unlimited. Outcome -EPERM: above fs.nr_open. */
int proclimit_set(pid_t pid, uint32_t resource, uint64_t soft, uint64_t hard);

/* @adjust: -1000 (never) to 1000 (first); 0 as @pid is the caller. */
int proclimit_set_oom(pid_t pid, int adjust);

/*
 * os/program.h - start a helper of ours that is held open, with exactly the given descriptors
 *
 * Layer os; monitor. program_spawn() blocks until the helper is executed (0.2 ms).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum {
	PROGRAM_FDS_MAX = 32
};

/*
 * Open the program @path through a read-only mount of our own that is attached nowhere, so that
 * nobody who gets hold of it by /proc/PID/exe can write to it or make it writable: the mount is
 * taken of its directory and let go at once, so that no call can change it any more.
 *
 * Returns: descriptor for program_spawn(), or -errno.
 */
int program_open(const char *path, struct err *err);

/*
 * Run the program with @argv, an empty environment and descriptors 0 to @n_fds - 1 as copies of
 * @fds; nothing else is inherited. Returns: pid, a child of ours, or -errno.
 */
pid_t program_spawn(int program_fd, const char *const *argv, const int *fds, size_t n_fds);

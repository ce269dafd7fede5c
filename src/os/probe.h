/*
 * os/probe.h - find out by doing it what a file system can do for containers
 *
 * Layer: os. Worker processes, root; a few milliseconds. Leaves no mount and no process behind.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* A user namespace with host ids @base.. mapped from 0. Returns: descriptor or -errno. Plain. */
int probe_userns(uint32_t base, uint32_t count);

/*
 * Whether directories like @dir_fd can be id-mapped and, with @overlay, carry overlay layers.
 *
 * @dir_fd: with @overlay it has the directories lower, upper, work and merged, owned by id 0; what
 * the trial writes into upper and work is the caller's to remove. @path: of it, for messages.
 * Errors: ERR_UNSUPPORTED naming path and file system.
 */
int probe_layers(int dir_fd, const char *path, uint32_t base, uint32_t count, bool overlay,
		 struct err *err);

/*
 * os/tree_usage.h - how much space a directory tree takes
 *
 * Layer: os. Worker processes; blocks while it walks. Plain.
 */
#pragma once

#include <stdint.h>

#include "os/tree_remove.h"

/*
 * Bytes of the blocks below @dir_fd; a file with several names counts once for all of them, blocks
 * that are shared with other files (reflinks) count as if they were not. No link is followed.
 * Errors: -ECANCELED, -ELOOP (deeper than 1,000).
 */
int tree_usage(int dir_fd, tree_cancel_fn *cancel, void *data, uint64_t *ret_bytes);

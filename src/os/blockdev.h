/*
 * os/blockdev.h - the block device that a file system is on, by number
 *
 * Layer os; sysctrd. Reads a few files of /proc and sysfs; stat of @path, which a network file system
 * can hold up.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/*
 * The whole disk that @path is on: the kernel throttles no partitions. Of a btrfs on several the first.
 *
 * Errors: -ENOENT without @path (plain); ERR_UNSUPPORTED when it is on none.
 */
int blockdev_of_path(const char *path, uint32_t *ret_major, uint32_t *ret_minor, struct err *err);

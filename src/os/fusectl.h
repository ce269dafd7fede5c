/*
 * os/fusectl.h - end file systems in user space whose servers do not answer
 *
 * Layer: os. Process: sysctr-monitor, root. The kernel's document is filesystems/fuse.rst, "Control
 * filesystem"; it need not be mounted. Does not block.
 */
#pragma once

#include <stdint.h>

/*
 * Abort the connections of the file systems that host ids from @base on, @count of them, have mounted:
 * whoever waits for an answer gets an error.
 *
 * Returns: how many, or -errno; -ENODEV: the kernel has no FUSE.
 */
int fusectl_abort_of(uint32_t base, uint32_t count);

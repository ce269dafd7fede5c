/* os/reflink.h - whether copies of files share their blocks (os; any process; blocks for a moment) */
#pragma once

/*
 * Try it with two files that have no name, below the directory @dir_fd.
 * Returns: 1, 0 when the file system cannot, or -errno. Source: ioctl_ficlone(2).
 */
int reflink_probe(int dir_fd);

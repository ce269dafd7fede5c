/*
 * os/upperdir.h - a directory of an overlay's upper layer as a mount of its own
 *
 * Layer: os. Monitor, in its mount namespace, as root of the host. May block.
 *
 * No overlay can stand on an overlay, so what makes overlays inside gets the plain file system
 * below for its directories. The content is where it would be anyway, in the upper layer: snapshots,
 * copies and quotas have it, and it is seen without the mount as well.
 *
 *   P1  Only a directory that the upper layer alone makes up is taken: then both views are the same.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

struct upperdir {
	int root_fd;   /* the overlay, where the directory is made when missing */
	int volume_fd; /* the directory that holds "upper" */
	int lower_fd;
	int userns_fd;	   /* whose ids it shows; -EBADF: as they are on disk */
	uid_t root_ids[2]; /* host uid and gid of root in it */
};

/*
 * The directory @path (plain) of the overlay as a detached mount, made with @mode when missing.
 * Returns: mount descriptor, or -errno: -EEXIST when the lower layer has content for it (P1), -ELOOP
 * and -ENOTDIR as path_make_dir().
 */
int upperdir_clone(const struct upperdir *overlay, const char *path, mode_t mode, struct err *err);

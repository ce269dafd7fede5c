/*
 * image/unpack.h - the root file system of an image into a directory (image; in a sandbox only)
 *
 *   U1  The working directory is the sandbox's root and the target at once: nothing outside of it
 *       exists. Beyond that, no entry is written through a link that another one made.
 *   U2  Device nodes and sockets are left out; setuid bits and security.capability are kept,
 *       trusted.* and other security.* are dropped.
 */
#pragma once

#include "image/report.h"

struct unpack_source {
	int fd;			/* borrowed */
	bool is_rootfs;		/* the second file of a split image: nothing but the root */
	uint64_t max_bytes;	/* 0: no bound but the ratio */
	uint64_t reserve_bytes; /* stay away from less free space than this */
};

/*
 * Into the working directory, which is empty and owned by id 0.
 * Errors: ERR_INVALID with words for the user; -ENOSPC with what is free and what must stay so.
 */
int unpack_rootfs(const struct unpack_source *source, struct report *report, struct err *err);

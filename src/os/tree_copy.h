/*
 * os/tree_copy.h - copy a directory tree as it is, sharing blocks where the file system can
 *
 * Layer: os. Worker processes; blocks for as long as it takes. Plain.
 *
 * Kept: owner, mode, times, xattrs (all that the caller may set), hard links inside the tree,
 * holes, symbolic links, fifos, device nodes (whiteouts of overlayfs are such). Sockets are left
 * out. Neither side is left through a link; other mounts inside the source are not entered. Leases
 * (fcntl(2)) on files of the source are waited for, 90 s for all of them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "os/tree_remove.h"

/* Zero: a quiet source to an empty destination. */
struct tree_copy_how {
	tree_cancel_fn *cancel; /* as tree_copy(); asked in other processes too, and here last */
	void *data;
	bool live;   /* somebody writes to the source: what vanishes under us is left out */
	bool marks;  /* an update follows: each directory keeps until then which one it was */
	bool update; /* the destination has an earlier copy: make that like the source */
	/* With update: what has not changed since then is taken to be copied. It must be before the
	 * earlier copy began, and before dirty pages were written out (syncfs), which makes the
	 * kernel notice later writes to mapped files. */
	int64_t since_wall_ns;
	/* An older copy: files that are the same there (size, times, owner, mode, xattrs) are linked
	 * to that instead of copied, for a copy that takes its place. 0: none. */
	int older_fd;
};

/*
 * Copy the content and the attributes of the directory @src_fd to the empty directory @dst_fd.
 *
 * @ret_failed: PATH_MAX bytes for the path that failed, for messages; "" at the top.
 * Errors: -ENOSPC, -EDQUOT, -ECANCELED, -ELOOP (deeper than 1,000), -EAGAIN (leases), others of the
 * file system; the destination is then partly filled.
 */
int tree_copy(int src_fd, int dst_fd, tree_cancel_fn *cancel, void *data, char *ret_failed);

/* Give @dst_fd the owner, mode, xattrs and times of @src_fd (both open for reading). */
int tree_copy_attributes(int src_fd, int dst_fd);

/* The same as @how says. */
int tree_copy_with(int src_fd, int dst_fd, const struct tree_copy_how *how, char *ret_failed);

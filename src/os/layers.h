/*
 * os/layers.h - what an overlay shows, without mounting it for writing
 *
 * Layer: os. Process: sysctr-unpack (single-threaded, root), before its sandbox,
 * and sysctr-worker. Blocks for a few
 * milliseconds.
 */
#pragma once

#include "base/err.h"

struct layers {
	int upper_fd, lower_fd; /* directories; borrowed */
	int userns_fd;		/* whose ids the merged root shows; -EBADF: as they are on disk */
	const char *place;	/* a directory to mount on, out of everybody's sight */
};

/*
 * Enter a mount namespace of our own, for good. Directories have to be opened after that: what
 * belongs to another namespace cannot be cloned.
 */
int layers_begin(struct err *err);

/* The merged root, read-only, mounted on place. Returns: descriptor of the mount, or -errno. */
int layers_merge(const struct layers *layers, struct err *err);

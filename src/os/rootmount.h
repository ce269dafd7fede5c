/*
 * os/rootmount.h - the root file system of an instance as a mount, out of the host's sight
 *
 * Layer: os. Monitor and file server, in a mount namespace of their own, as root of the host: only
 * the initial user namespace may give layers the ids of another. May block.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

struct rootmount_plan {
	const char *path;  /* the root itself, or with @lower the directory of upper and work */
	const char *lower; /* NULL: no overlay */
	const char *place; /* an existing directory, covered for a moment in our namespace */
	int userns_fd;	   /* whose ids the layers show; -EBADF: as they are on disk */
	uid_t root_ids[2]; /* host uid and gid of root in it */
};

/* Keep the directory from being deleted or used twice (flock @operation). Returns: its holder. */
int rootmount_lock(const char *path, int operation, struct err *err);

/* Returns: detached mount. */
int rootmount_make(const struct rootmount_plan *plan, struct err *err);

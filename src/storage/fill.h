/* storage/fill.h - volumes that somebody else fills: the slot copy_begin of storage/driver.h */
#pragma once

#include "base/err.h"

struct pool;

/* Close both. */
struct copy_stage {
	int fd;	     /* held with flock */
	int root_fd; /* its empty root file system, mode 0755, id 0's */
};

/* Make the new stage ".new-<@stage>" with an empty root, for copy_commit or copy_abort. */
typedef int copy_begin_fn(struct pool *pool, const char *stage, struct copy_stage *ret_stage,
			  struct err *err);

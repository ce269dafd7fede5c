/*
 * storage/btrfs_limit.h - subvolumes of the driver btrfs held to a size (storage)
 *
 * What counts is what was written since the snapshot that the volume began as, and with full quota
 * groups all that it refers to.
 */
#pragma once

#include "storage/driver.h"

/* What quotas the pool's file system has. Errors: ERR_UNSUPPORTED when they are not on. */
int btrfs_quota_words(struct pool *pool, const char **ret_how, struct err *err);

/*
 * Limit the root @root_fd, which @what names in messages, to @bytes (0: not), and try that it holds.
 *
 * Errors: ERR_INVALID when more is used, with both numbers; ERR_UNSUPPORTED without quotas, or when it did not hold.
 */
int btrfs_limit_root(struct pool *pool, int root_fd, const char *what, uint64_t bytes,
		     struct err *err);

/*
 * storage/quota.h - volumes that are directories held to a size, by the project quotas of ext4 and xfs
 *
 * Layer: storage. Every volume gets a project of its own when it is made, limited or not: files
 * cannot be moved into a project later without walking over all of them, and what a volume takes is
 * known at once. Where the file system has no project quotas nothing of this happens.
 */
#pragma once

#include "storage/driver.h"

/*
 * Make the new, empty directory @dir_fd a project of its own; or the same as that of @like_fd
 * (-EBADF: none), with which it exchanges files.
 */
int quota_mark(struct pool *pool, int dir_fd, int like_fd, struct err *err);

/* Whether the directory is in a project of ours. Plain. */
bool quota_is_project(int dir_fd);

/* The limit of the directory @name below @dir_fd goes, since its files do. Failures are harmless. */
void quota_forget(int dir_fd, const char *name);

/*
 * Limit the volume @dir_fd, which @what names in messages, to @bytes (0: not).
 *
 * Errors: ERR_UNSUPPORTED with what is missing, ERR_INVALID when more is used, with both numbers.
 */
int quota_limit(struct pool *pool, int dir_fd, const char *what, uint64_t bytes, struct err *err);

/* Bytes that the volume takes. Returns: 0, or 1 when nobody counts them. Plain. */
int quota_usage(int dir_fd, uint64_t *ret_bytes);

/* @used is more than @bytes. For all drivers that have quotas. */
int quota_too_small(const char *what, uint64_t bytes, uint64_t used, struct err *err);

/* The directory of a volume or a stage, for all drivers for directories. Errors: ERR_NOT_FOUND. */
int quota_open(struct pool *pool, const struct volume_limit *limit, struct err *err);

/* Slots of struct storage_driver. */
pool_quota_fn quota_probe_dir;
volume_limit_fn quota_limit_dir;

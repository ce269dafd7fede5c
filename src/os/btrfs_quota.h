/*
 * os/btrfs_quota.h - quota groups of btrfs, simple (kernel 6.7) or full, by its ioctls
 *
 * Layer: os. Worker processes and sysctrd, root. All plain.
 *
 * Simple: a block counts for the subvolume that wrote it, as long as anything refers to it. What a
 * container makes inside its subvolume joins the groups of that, so a group above it holds them
 * all together. Full: a block counts for each subvolume that refers to it, and only the subvolume
 * itself can be limited: what is nested in it is not.
 */
#pragma once

#include <stdint.h>

enum btrfs_quota_mode {
	BTRFS_QUOTA_OFF,
	BTRFS_QUOTA_SIMPLE,
	BTRFS_QUOTA_FULL,
	BTRFS_QUOTA_UNSURE, /* full, and its numbers are not right (yet): it scans, or should */
	BTRFS_QUOTA_MODE_MAX
};

int btrfs_quota_mode(int fd, enum btrfs_quota_mode *ret_mode);

/*
 * @mode: _SIMPLE or _FULL; of the latter the first count is waited for.
 * Errors: -EOPNOTSUPP (_SIMPLE before kernel 6.7), -EEXIST (there are quotas already).
 */
int btrfs_quota_enable(int fd, enum btrfs_quota_mode mode);

struct btrfs_quota {
	uint64_t used_bytes;  /* as of the last commit */
	uint64_t limit_bytes; /* 0: none */
};

/* Of the subvolume whose root directory @fd is. Errors: -ENOTDIR, -EOPNOTSUPP (no quotas). */
int btrfs_quota_read(int fd, struct btrfs_quota *ret_quota);

/*
 * @fs_fd: on the same file system, but not in the subvolume: in one that is full nothing can begin.
 * @bytes 0: no limit; that is no error where there are no quotas.
 */
int btrfs_quota_limit(int fs_fd, int fd, uint64_t bytes);

/* Forget the group above the subvolume @id, which is deleted. Nothing, when there is none. */
int btrfs_quota_forget(int fs_fd, uint64_t id);

/*
 * os/btrfs.h - subvolumes of btrfs by its ioctls
 *
 * Layer: os. Worker processes, root; blocks for a commit of the file system. All plain. Names are one
 * component below a directory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether @fd is on a btrfs. */
bool btrfs_is(int fd);

/* A new empty subvolume. */
int btrfs_subvol_create(int dir_fd, const char *name);

/* A writable snapshot of the subvolume @src_fd, in constant time; it is on the disk afterwards. */
int btrfs_snapshot(int src_fd, int dir_fd, const char *name);

/* The id of the subvolume whose root directory @fd is. Returns: 0, or 1 when it is none. */
int btrfs_subvol_id(int fd, uint64_t *ret_id);

/* Call @fn for the subvolume and all that are nested in it, until it returns an error. */
typedef int btrfs_subvol_fn(void *data, int fd, uint64_t id);
int btrfs_subvol_each(int fd, btrfs_subvol_fn *fn, void *data);

/*
 * Delete the subvolume @name with all that are nested in it, read-only ones too; their space is freed
 * later by the kernel. Returns: 0, or 1 when @name is no subvolume, or not there.
 */
int btrfs_subvol_destroy(int dir_fd, const char *name);

enum {
	BTRFS_UUID_LEN = 37
};

/* The file system's own uuid as text. */
int btrfs_uuid(int fd, char ret_uuid[BTRFS_UUID_LEN]);

/* The file system is on one device: its path, as the kernel calls it. Errors: -ENODEV: on more. */
int btrfs_device(int fd, char *ret_path, size_t size);

/* Use all that the device has. Errors: -EBUSY while it is balanced or the like. */
int btrfs_grow(int fd);

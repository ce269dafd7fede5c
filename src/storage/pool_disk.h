/*
 * storage/pool_disk.h - pools on a btrfs of their own: on a block device, or in a file
 *
 * Layer: storage. Process: sysctr-worker; blocks. The file system is mounted at the pool's directory,
 * which nobody but root can enter, and known by its uuid: another one that is found at the same place
 * is not taken.
 */
#pragma once

#include "os/btrfs.h"
#include "storage/pool.h"

/* Make the file system: @request->disk is a block device, else a file that is made. Errors:
 * ERR_INVALID when the device has something on it already (without wipe). */
int pool_disk_make(const struct pool_request *request, struct err *err);

/*
 * Mount it. Returns: 0, or 1 when that was done before. Errors: ERR_UNAVAILABLE when it is not there,
 * or another one.
 */
int pool_disk_mount(const struct pool_request *request, struct err *err);

/*
 * Mount it nowhere, to be read only, whatever its uuid is. Returns: descriptor of the mount. Errors:
 * ERR_UNAVAILABLE when it is not there, or no btrfs.
 */
int pool_disk_mount_detached(const struct pool_request *request, struct err *err);

/* The uuid of the mounted btrfs @dir_fd is the wanted one (NULL: any). Errors: ERR_UNAVAILABLE. */
int pool_disk_check_uuid(const struct pool_request *request, int dir_fd,
			 char ret_uuid[BTRFS_UUID_LEN], struct err *err);

/*
 * Make the pool's own file, and what is in it, @request->size_bytes long while it is mounted. May be
 * repeated. Errors: ERR_INVALID when it is longer already, ERR_UNAVAILABLE when it is not mounted.
 */
int pool_disk_grow(const struct pool_request *request, struct err *err);

/* Unmount it; waits some seconds for helpers that still work in it. */
int pool_disk_unmount(const char *dir, struct err *err);

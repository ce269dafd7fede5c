/*
 * storage/pool_look.h - a look into a pool that was perhaps never prepared on this host
 *
 * Layer: storage. Process: sysctr-unpack; blocks on the pool's disk. What is there may be anybody's:
 * nothing in it is changed, and a file system that is not mounted is mounted for this process alone,
 * where nobody finds it.
 */
#pragma once

#include "os/btrfs.h"
#include "storage/pool.h"

/*
 * Open what @request names: its directory, or the btrfs on its disk. *@ret_pool has no driver.
 *
 * @ret_uuid: of the btrfs on a disk; "" without one.
 * Errors: ERR_UNAVAILABLE when it is not there, or another file system than @request->uuid (NULL: any)
 * is.
 */
int pool_look(const struct pool_request *request, struct pool *ret_pool,
	      char ret_uuid[BTRFS_UUID_LEN], struct err *err);

/* Whether anything in it is laid out like a pool. */
bool pool_looks_like_one(const struct pool *pool);

/*
 * Which driver what is in it was made by: NULL when that cannot be told, as of a pool with no
 * instance in it.
 */
const struct storage_driver *pool_tell_driver(const struct pool *pool);

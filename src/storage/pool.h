/*
 * storage/pool.h - an open pool: its directory, its driver
 *
 * Layer: storage. Process: sysctr-worker, sysctr-unpack, tests; blocks like storage/driver.h.
 */
#pragma once

#include "storage/driver.h"

struct pool {
	char *name;
	char *dir;  /* absolute */
	int dir_fd; /* -EBADF for drivers without a directory */
	const struct storage_driver *driver;
	void *driver_data;	   /* of mock and trace */
	storage_cancel_fn *cancel; /* set by the owner; NULL: never */
	void *cancel_data;
	uint64_t reserve_bytes; /* set by the owner: copies end with -ENOSPC before less is free */
};

/* What differs from pool_open(): makes what is missing, and finds the driver for "auto". */
struct pool_request {
	const char *name;
	const char *driver; /* a name, or "auto" */
	const char *dir;
	struct storage_ids ids; /* for the trial of idmapped mounts */
	const char *disk;	/* block device or file with a btrfs, mounted at dir; NULL: none */
	const char *uuid;	/* of that btrfs */
	uint64_t size_bytes;	/* pool_create(): of the file */
	bool wipe;		/* pool_create(): whatever is on the device */
	bool full_quotas;	/* for tests: as where the kernel has no simple ones */
	bool made;		/* pool_prepare(): dir is no disk's, and was a pool once */
};

/* Errors: ERR_NOT_FOUND when it was never prepared; ERR_INVALID for a driver nobody knows. */
int pool_open(const char *name, const char *driver, const char *dir, struct pool *ret_pool,
	      struct err *err);

/*
 * Make the tree (0700, root), try the driver, empty the trash and drop stages nobody holds.
 *
 * *@ret_pool is open afterwards; its driver is never "auto".
 * Errors: ERR_UNSUPPORTED when the file system has not what the driver needs; ERR_UNAVAILABLE when
 * what it is on is not there. Nothing is mounted then that was not before.
 */
int pool_prepare(const struct pool_request *request, struct pool *ret_pool, struct err *err);

/* What a pool's directory has in it, NULL-terminated. */
extern const char *const pool_subdirs[];

void pool_close(struct pool *pool);

/* Whether the pool's owner wants no more. */
bool pool_cancelled(struct pool *pool);

/* The driver by name, NULL for none. */
const struct storage_driver *storage_driver_find(const char *name);

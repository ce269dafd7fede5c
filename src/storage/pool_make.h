/*
 * storage/pool_make.h - a pool that is new, and one that is not wanted any more
 *
 * Layer: storage. Process: sysctr-worker, tests; blocks like storage/driver.h.
 */
#pragma once

#include <stdbool.h>

#include "storage/pool.h"

/*
 * pool_prepare() of a new pool: its directory has to be empty or not there. What was made is
 * removed again when it fails. Errors: ERR_INVALID when the directory is not empty.
 */
int pool_create(const struct pool_request *request, struct pool *ret_pool, struct err *err);

struct pool_removal {
	const char *name;
	const char *driver;
	const char *dir;
	bool own_dir;	  /* remove the directory itself too */
	const char *disk; /* as in struct pool_request */
	bool own_disk;	  /* it is a file that was made for the pool: remove it */
};

/*
 * Remove what a pool is made of: images, trash, directories. May be repeated.
 *
 * Errors: ERR_CONFLICT when an instance's, a snapshot's or an unfinished volume is in it.
 */
int pool_remove(const struct pool_removal *removal, struct err *err);

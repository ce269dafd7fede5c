/* storage/limit.h - volumes held to a size: the slots pool_quota, volume_limit of storage/driver.h */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct pool;

/*
 * Find out by doing it whether volumes of the pool can be held to a size.
 *
 * @ret_how: by what, static words for people. Errors: ERR_UNSUPPORTED with what is missing.
 */
typedef int pool_quota_fn(struct pool *pool, const char **ret_how, struct err *err);

struct volume_limit {
	const char *volume; /* which may be in use; or */
	const char *stage;  /* uuid: a copy in the making that is to become one */
	uint64_t bytes;	    /* 0: no limit */
	bool custom;	    /* the volume is no instance's */
};

/*
 * Limit what an instance's or a custom volume takes, or limit it no more. Writes above that fail from then on,
 * which was tried. The limit stays with the volume when that is renamed, and goes with it; a copy
 * has none.
 *
 * Errors: ERR_NOT_FOUND; ERR_INVALID when more is used already, with both numbers; ERR_UNSUPPORTED
 * as pool_quota. The limit is what it was then.
 */
typedef int volume_limit_fn(struct pool *pool, const struct volume_limit *limit, struct err *err);

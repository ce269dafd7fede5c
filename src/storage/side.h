/*
 * storage/side.h - side files: what the database says of a pool and of what is in it, beside the
 * volumes, for the day on which the database is lost
 *
 * Layer: storage. Process: sysctr-worker, sysctr-unpack, tests; blocks on the pool's disk. All are
 * 0600, and nothing reads them but a recovery:
 *
 *   <pool>/pool.yaml                    the pool itself, the object JOB_SIDE_POOL
 *   <pool>/records/<instance>.yaml      an instance, the object "<instance>"
 *   <pool>/records/custom/<uuid>.yaml   a custom volume, the object JOB_SIDE_CUSTOM "<uuid>"
 */
#pragma once

#include "base/buf.h"
#include "storage/pool.h"

#define SIDE_DIR "records"

enum side_kind {
	SIDE_INSTANCE,
	SIDE_CUSTOM,
	SIDE_POOL,
	SIDE_KIND_MAX
};

/*
 * Replace the side file of the object in one step, unless it says that already; the new one is on the
 * disk before the old is gone. Errors: ERR_INVALID for an object that cannot be.
 */
int side_write(struct pool *pool, const char *object, const char *text, struct err *err);

/* Remove it; none there is fine. */
int side_remove(struct pool *pool, const char *object, struct err *err);

/* Remove all of them, and the directory of those of custom volumes. */
int side_clear(struct pool *pool, struct err *err);

/* @text: NUL-terminated, borrowed; NULL with @problem set: it cannot be read. */
typedef void side_fn(void *data, const char *name, const struct buf *text, const char *problem);

/*
 * Hand over every side file of that kind (not SIDE_POOL), at most @max of them and each at most @max_bytes long; @name
 * is the instance or the uuid. No directory for them is none.
 */
int side_read_all(struct pool *pool, enum side_kind kind, size_t max, size_t max_bytes, side_fn *fn,
		  void *data, struct err *err);

/* Add that of the pool itself to @text. Returns: 0, -ENOENT, or another -errno. Plain. */
int side_read_pool(int pool_fd, size_t max_bytes, struct buf *text);

/*
 * storage/side.h - side files: what the database says of an instance, beside its volume, for the day
 * on which the database is lost
 *
 * Layer: storage. Process: sysctr-worker, sysctr-unpack, tests; blocks on the pool's disk. They are
 * <pool>/records/<instance>.yaml, 0600. Nothing reads them but a recovery.
 */
#pragma once

#include "base/buf.h"
#include "storage/pool.h"

#define SIDE_DIR "records"

/*
 * Replace the instance's side file in one step, unless it says that already; the new one is on the
 * disk before the old is gone.
 */
int side_write(struct pool *pool, const char *instance, const char *text, struct err *err);

/* Remove it; none there is fine. */
int side_remove(struct pool *pool, const char *instance, struct err *err);

/* Remove all of them. */
int side_clear(struct pool *pool, struct err *err);

/* @text: NUL-terminated, borrowed; NULL with @problem set: it cannot be read. */
typedef void side_fn(void *data, const char *instance, const struct buf *text, const char *problem);

/* Hand over every side file, at most @max of them and each at most @max_bytes long. */
int side_read_all(struct pool *pool, size_t max, size_t max_bytes, side_fn *fn, void *data,
		  struct err *err);

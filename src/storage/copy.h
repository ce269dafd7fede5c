/*
 * storage/copy.h - copies of volumes in directories: what snapshots and restoring are made of
 *
 * Layer: storage. Blocks are shared where the file system can, else copied. What a volume holds is
 * its "upper" (overlay) or its "rootfs"; overlayfs' work directory is made anew, never copied.
 */
#pragma once

#include "storage/driver.h"

copy_begin_fn copy_begin_dir;
copy_fill_fn copy_fill_dir;
copy_commit_fn copy_commit_dir;
copy_abort_fn copy_abort_dir;
volume_usage_fn copy_usage_dir;

/*
 * copy_fill from a volume of another pool, whatever its driver, into a root of its own.
 * Errors: as copy_fill; ERR_UNSUPPORTED when the volume stands on an image.
 */
int copy_across(struct pool *from, const struct copy_request *request, struct pool *pool,
		struct err *err);

/*
 * Put a copy of the directory @src_fd into a stage of @pool, whose root it becomes, or with @layer
 * the upper layer. @forget: without the machine's identity. Errors: as copy_fill.
 */
struct copy_into {
	const struct copy_request *request;
	int src_fd;
	int lower_fd; /* with @layer: what it lies on; -EBADF: nothing */
	bool layer;
	bool forget;
};
int copy_into(struct pool *pool, const struct copy_into *how, struct err *err);

/* The directory of a stage, for drivers that fill it otherwise. Errors: ERR_INVALID. */
int copy_stage_name(const char *uuid, char ret_name[STAGE_NAME_LEN], struct err *err);

/* Errors: -ENOSPC when less than the pool's reserve is free. */
int copy_check_space(struct pool *pool, struct err *err);

/*
 * storage/copy.h - copies of volumes in directories: what snapshots, copies of instances, restoring
 * and transfers are made of
 *
 * Layer: storage. Process: sysctr-worker and sysctr-unpack; the calls block for as long as the tree
 * takes. Blocks are shared where the file system can, else copied. What a volume holds is its content:
 * "upper" (overlay) or "rootfs"; overlayfs' work directory is made anew, never copied.
 *
 *   copy_fill WHOLE, or LIVE and then REST:  volume -> stage ".new-<uuid>"     copy.c
 *   copy_commit, or copy_abort:              stage -> volume, or nothing       copy_commit.c
 *
 *   C1  Of a volume somebody writes to, LIVE and then REST while he is held still make a copy of one
 *       moment. REST looks at everything and copies what has changed since before LIVE began.
 *   C2  No file in a stage is written to after it has been copied: a changed one is replaced. So a
 *       stage can share files with what it will replace (copy_request.older), which stays whole.
 *   C3  Until the commit nothing is seen of a copy. What nobody holds is removed with the trash.
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
 * Put a copy of the directory @src_fd into a stage of @pool, in the pass that @request says: it becomes
 * the root there, or with @layer the upper layer, which lies on request->image. Errors: as copy_fill.
 */
int copy_into(struct pool *pool, const struct copy_request *request, int src_fd, bool layer,
	      struct err *err);

/* The last pass of @request: @root_fd (with @layer one upper layer) forgets which machine it is. */
int copy_forget(struct pool *pool, const struct copy_request *request, int root_fd, bool layer,
		struct err *err);

/* Returns: descriptor of a finished volume's directory. Errors: ERR_INVALID, ERR_NOT_FOUND. */
int copy_open_volume(struct pool *pool, enum volume_kind kind, const char *name, struct err *err);

/* Returns: descriptor that holds the stage with flock, or -errno. Plain. */
int copy_open_stage(struct pool *pool, const char *name);

/* Name of the content of the volume or stage @dir_fd: "upper" or "rootfs". */
const char *copy_content_of(int dir_fd);

/* Whether the content of the stage is in the project of the volume that it will replace. */
bool copy_borrows(int stage_fd);

/* The directory of a stage, for drivers that fill it otherwise. Errors: ERR_INVALID. */
int copy_stage_name(const char *uuid, char ret_name[STAGE_NAME_LEN], struct err *err);

/* Errors: -ENOSPC when less than the pool's reserve is free. */
int copy_check_space(struct pool *pool, struct err *err);

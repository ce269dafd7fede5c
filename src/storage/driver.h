/*
 * storage/driver.h - contract between volumes and the file systems that hold them
 *
 * Layer: storage. Process: sysctr-worker, sysctr-unpack and tests; every call below may block for
 * minutes. storage/policy.h shows where things lie.
 *
 *   S1  A volume visible under its name is complete: work happens in ".new-<uuid>", renamed last.
 *   S2  No call follows a symbolic link below the pool (openat2 RESOLVE_BENEATH from pool->dir_fd).
 *   S3  Every call may be repeated after a crash; it then succeeds or fails as the first time.
 *   S4  A volume whose directory somebody holds with flock is in use: it is not deleted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uuid.h"
#include "storage/fill.h"
#include "storage/limit.h"
#include "storage/policy.h"

struct pool;

enum {
	STAGE_NAME_LEN = sizeof(".new-") - 1 + UUID_LEN
};

/* An image volume in the making: invisible until committed. Descriptors are the stage's. */
struct stage {
	char name[STAGE_NAME_LEN]; /* below the pool */
	char *image;		   /* fingerprint it will have */
	int dir_fd;		   /* the stage, held with flock */
	int root_fd;		   /* its empty rootfs, to be filled */
};

/* Asked between files and blocks of long calls: true ends them with -ECANCELED, undone. */
typedef bool storage_cancel_fn(void *data);

/* Ids that are nobody's, for trying idmapped mounts. */
struct storage_ids {
	uint32_t base;
	uint32_t count;
};

/*
 * Find out by doing it whether the pool's file system has what the driver needs.
 *
 * Errors: -EOPNOTSUPP with path and file system named; nothing is left behind in any case.
 */
typedef int pool_probe_fn(struct pool *pool, const struct storage_ids *ids, struct err *err);

/*
 * Begin an image volume.
 *
 * Returns: 0 with *@ret_stage to be given to commit or abort; 1 when the finished volume is there.
 */
typedef int image_begin_fn(struct pool *pool, const char *image, struct stage *ret_stage,
			   struct err *err);

/*
 * Make the filled stage visible; it survives a power cut from then on. Frees @stage also when it
 * fails. Returns: 0, or 1 when somebody else finished the same image meanwhile (ours is dropped).
 */
typedef int image_commit_fn(struct pool *pool, struct stage *stage, struct err *err);

/* Remove the stage and what it holds. Frees @stage also when it fails. */
typedef int image_abort_fn(struct pool *pool, struct stage *stage, struct err *err);

/*
 * Create an instance's volume.
 *
 * @image: fingerprint of a finished image volume; NULL: an empty root.
 * @quota_bytes: upper bound as of volume_limit, 0 for none.
 * Returns: 0, or 1 when the finished volume was there already (S3).
 * Errors: ERR_NOT_FOUND (image), -ENOSPC, -EDQUOT, -ECANCELED, of volume_limit; anything else is
 * fatal to the job.
 */
typedef int volume_create_fn(struct pool *pool, const char *volume, const char *image,
			     uint64_t quota_bytes, struct err *err);

/*
 * Take a volume out of sight: afterwards its name is free and its space is in the trash.
 *
 * @ret_trash: what to give to volume_free.
 * Returns: 0, or 1 when there was none (S3). Errors: ERR_CONFLICT while in use (S4).
 */
typedef int volume_hide_fn(struct pool *pool, enum volume_kind kind, const char *name,
			   char ret_trash[UUID_LEN], struct err *err);

/*
 * Give an instance's volume another name.
 *
 * Returns: 0, or 1 when that was done already (S3). Errors: ERR_NOT_FOUND; ERR_CONFLICT while in
 * use (S4) or when the new name is taken.
 */
typedef int volume_rename_fn(struct pool *pool, const char *volume, const char *new_name,
			     struct err *err);

/* Free the space of one hidden volume. Errors: the first one met; the rest is freed all the same. */
typedef int volume_free_fn(struct pool *pool, const char *trash, struct err *err);

/*
 * Free the space of everything in the trash and of stages that nobody holds any more.
 *
 * Errors: the first one met; the rest is freed all the same.
 */
typedef int trash_empty_fn(struct pool *pool, struct err *err);

/* Whether the finished volume is there: 1 or 0. */
typedef int volume_exists_fn(struct pool *pool, enum volume_kind kind, const char *name,
			     struct err *err);

struct copy_request {
	enum volume_kind kind; /* of what is copied: any but VOLUME_IMAGE */
	const char *volume;
	const char *stage; /* uuid: the copy is the stage ".new-<uuid>" until it is committed */
	enum copy_pass pass;
	int64_t since_wall_ns; /* COPY_REST: some time before COPY_LIVE began */
	const char *older; /* an instance's volume that the copy is to replace, which gives it the
			    * files that are the same there; NULL: none. The same in all passes */
	bool forget; /* without the machine's identity (storage/identity.h), after all passes */
	const char *image; /* with forget: what the volume stands on; NULL: none */
};

/*
 * Put a copy of a volume's content into a stage. A volume's and a snapshot's hold the same, so the
 * copy becomes any by its commit. A stage that is there already is replaced, or by COPY_REST
 * completed.
 *
 * Errors: ERR_NOT_FOUND (volume; older; stage of COPY_REST), -ENOSPC, -ECANCELED; COPY_REST
 * excepted, the stage is gone then.
 */
typedef int copy_fill_fn(struct pool *pool, const struct copy_request *request, struct err *err);

/*
 * Make the stage the volume @name; it survives a power cut from then on. An instance's or a custom
 * volume that is there is replaced in one step.
 *
 * @ret_trash: what was replaced, for volume_free; "" for nothing.
 * Returns: 0, or 1 when the snapshot or custom volume is there and the stage is not (S3).
 * Errors: ERR_CONFLICT when the volume to be replaced is in use (S4); the stage stays.
 */
typedef int copy_commit_fn(struct pool *pool, const char *stage, enum volume_kind kind,
			   const char *name, char ret_trash[UUID_LEN], struct err *err);

/* Remove the stage, if there is one, and what it holds. */
typedef int copy_abort_fn(struct pool *pool, const char *stage, struct err *err);

/* Bytes that the volume takes (os/tree_usage.h). Errors: ERR_NOT_FOUND. */
typedef int volume_usage_fn(struct pool *pool, enum volume_kind kind, const char *name,
			    uint64_t *ret_bytes, struct err *err);

/* One row per back end. */
struct storage_driver {
	const char *name;
	uint32_t caps; /* STORAGE_CAP_* */
	pool_probe_fn *pool_probe;
	image_begin_fn *image_begin;
	image_commit_fn *image_commit;
	image_abort_fn *image_abort;
	volume_create_fn *volume_create;
	volume_rename_fn *volume_rename;
	volume_hide_fn *volume_hide;
	volume_free_fn *volume_free;
	trash_empty_fn *trash_empty;
	volume_exists_fn *volume_exists;
	copy_begin_fn *copy_begin; /* NULL: nothing can be imported */
	copy_fill_fn *copy_fill;
	copy_commit_fn *copy_commit;
	copy_abort_fn *copy_abort;
	volume_usage_fn *volume_usage;
	pool_quota_fn *pool_quota;
	volume_limit_fn *volume_limit;
};

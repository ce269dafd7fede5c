/*
 * storage/volume.h - what the drivers for directories have in common: stages, renames, the trash
 *
 * Layer: storage. Keeps S1, S2, S3 and S4 of storage/driver.h; the drivers fill stages.
 */
#pragma once

#include "storage/driver.h"

/* "images", "instances" */
const char *volume_kind_dir(enum volume_kind kind);

/* Errors: ERR_INVALID; names come from the database, from clients and from images alike. */
int volume_check_name(enum volume_kind kind, const char *name, struct err *err);

/* A new empty stage that others see to be in use; root_fd is not set. */
int volume_stage_begin(struct pool *pool, struct stage *ret_stage, struct err *err);

/*
 * Rename the stage to its name and free it, also when that fails. @sync: write out what is in it
 * before. Returns: 0, or 1 when there is one of that name (the stage is removed).
 */
int volume_stage_publish(struct pool *pool, struct stage *stage, enum volume_kind kind,
			 const char *name, bool sync, struct err *err);

/* Remove the stage and free it. */
int volume_stage_drop(struct pool *pool, struct stage *stage, struct err *err);

/* Directory of the finished volume. Returns: descriptor, -ENOENT, or another -errno. Plain. */
int volume_open(struct pool *pool, enum volume_kind kind, const char *name);

/* The root of an unpacked image. Returns: descriptor. Errors: ERR_NOT_FOUND. */
int volume_open_image_root(struct pool *pool, const char *image, struct err *err);

/* Put a new volume's content into the stage. @image: NULL for an empty root. */
typedef int volume_fill_fn(struct pool *pool, struct stage *stage, const char *image,
			   struct err *err);

/* volume_create: a stage filled by @fill. */
struct volume_request {
	const char *volume;
	const char *image; /* NULL: none */
	uint64_t quota_bytes;
	bool sync; /* write out the content before the volume is visible */
};
int volume_create_dir(struct pool *pool, const struct volume_request *request, volume_fill_fn *fill,
		      struct err *err);

/* S4. @dir_fd: the volume's directory. Errors: ERR_CONFLICT '<kind> "<name>" is in use'. */
int volume_check_unused(int dir_fd, enum volume_kind kind, const char *name, struct err *err);

/* "image volume", for messages. */
const char *volume_kind_word(enum volume_kind kind);

/* Slots of struct storage_driver that are the same for all directories. */
image_begin_fn volume_image_begin;
image_commit_fn volume_image_commit;
volume_rename_fn volume_rename_dir;
volume_hide_fn volume_hide_dir;
volume_free_fn volume_free_dir;
trash_empty_fn volume_empty_trash;
volume_exists_fn volume_exists_dir;

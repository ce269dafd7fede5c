/*
 * core/image.h - the local image store: finding, adding, unpacking, deleting
 *
 * Layer: core. Files: <state>/images/<fingerprint>[.rootfs]; unpacked volumes are the pools'.
 *
 *   M1  An image volume that an instance stands on stays, whatever happens to the image.
 *   M2  Two operations that need the same volume or build wait for one job (core/flight.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "core/op.h"
#include "spec/image.h"

struct core;
struct journal_record;

/* Kinds of rows of the journal: the files of an image; what is unpacked of it in a "pool". */
#define IMAGE_DELETE	    "image-delete"
#define IMAGE_VOLUME_DELETE "image-volume-delete"

/* By whole fingerprint or unique prefix. Errors: ERR_NOT_FOUND, ERR_INVALID when ambiguous. */
int image_find(struct core *core, const char *prefix, struct image_record **ret_image,
	       struct err *err);

/* NULL when no image has that alias. */
struct image_record *image_by_alias(struct core *core, const char *alias);

/*
 * What a user calls an image: alias, then fingerprint prefix.
 * Errors: ERR_NOT_FOUND; with "did you mean" and, for a template, how to build it.
 */
int image_resolve(struct core *core, const char *what, struct image_record **ret_image,
		  struct err *err);

struct image_upload {
	int body_fd;	/* the helper's end of a pipe; made by image_upload() */
	char *boundary; /* multipart/form-data; NULL: raw */
	char *filename;
	char *fingerprint; /* expected; NULL: any */
	bool public;
	struct strmap properties;
	char **aliases;
	char **profiles;
};
void image_upload_free(struct image_upload *upload);

/*
 * Store an upload (taken). The op's metadata gets fingerprint and size.
 *
 * @ret_body_fd: a pipe for the image's bytes, to be closed behind the last one; the caller's.
 */
int image_upload(struct core *core, struct image_upload *upload, int *ret_body_fd,
		 struct op **ret_op, struct err *err);

/* Build @name ("debian/trixie"), or @yaml with @name for it; @alias NULL: the template's own. */
int image_build(struct core *core, const char *name, const char *yaml, const char *alias,
		struct op **ret_op, struct err *err);

int image_delete(struct core *core, struct image_record *image, struct op **ret_op,
		 struct err *err);

/* An instance is made from it: now is when it was used last. */
int image_used(struct core *core, struct image_record *image, struct err *err);

/* A launch has chosen it and needs its files still. */
bool image_is_wanted(struct core *core, const char *fingerprint);

/* Its row is gone: out of memory with it, and what is unpacked of it unless somebody stands on it. */
void image_forget(struct core *core, const char *fingerprint);

/*
 * Its row goes in the open transaction, and the journal's comes ("image-delete") until
 * image_delete_files() is done.
 */
int image_delete_in_tx(struct op *op, const struct image_record *image, struct err *err);

/* Step of an op. */
enum op_next image_delete_files(struct op *op, const char *fingerprint);

/* Replace the editable part (properties, public, auto_update, profiles, expires). @record: copied. */
int image_update(struct core *core, const struct image_record *record, struct err *err);

int image_alias_create(struct core *core, const char *name, const char *description,
		       const char *fingerprint, struct err *err);
int image_alias_update(struct core *core, const char *name, const char *description,
		       const char *fingerprint, struct err *err);
int image_alias_rename(struct core *core, const char *name, const char *new_name, struct err *err);
int image_alias_delete(struct core *core, const char *name, struct err *err);

/* Absolute paths of the stored files; rootfs NULL for unified ones. Owned by the caller. */
char *image_file(const struct core *core, const char *fingerprint, bool rootfs);

/*
 * Step of an op: have @what (alias, prefix, template) in the store, built when it is a template
 * that was not built yet. Afterwards image_resolve() succeeds.
 */
enum op_next image_ensure(struct op *op, const char *what);

/* Step of an op: have the image unpacked in the pool. */
enum op_next image_ensure_volume(struct op *op, const char *pool, const char *fingerprint);

/* The image's volume is in the pool: remember it. */
int image_volume_found(struct core *core, const char *pool, const char *fingerprint,
		       struct err *err);

/* An instance is gone: drop the volume if neither image nor instance is left. */
void image_volume_unused(struct core *core, const char *pool, const char *fingerprint);

/* Step of an op, which is run again: while the volume @key, of core->image_volumes, is being deleted. */
enum op_next image_volume_await_deleted(struct op *op, const char *key);

/* After a start: the same for all that there are, and finish deletions. @row: taken. */
void image_volumes_settle(struct core *core);
void image_clean_up(struct core *core, struct journal_record *row);

/*
 * core/inst_move.h - instances that get another name, and copies of them
 *
 * Layer: core. As core/inst_ops.h: each call checks what can be checked at once and returns the
 * started op (borrowed).
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "core/job.h"
#include "core/op.h"
#include "core/still.h"

struct core;
struct inst;
struct inst_create_request;
struct job;
struct journal_record;

/* Errors: ERR_INVALID while it runs, ERR_CONFLICT when the name is taken. */
int inst_rename(struct inst *inst, const char *name, struct op **ret_op, struct err *err);

/*
 * Bring the copy @inst, which has to be stopped, up to date with request->copy_from: its content, and
 * unless request->instance_only its snapshots, which become those of the source. @request: taken.
 * Errors: ERR_INVALID, ERR_NOT_FOUND, ERR_CONFLICT, ERR_UNSUPPORTED (from a snapshot).
 */
int inst_refresh(struct inst *inst, struct inst_create_request *request, struct op **ret_op,
		 struct err *err);

/*
 * Move a stopped instance with its snapshots to another storage pool, as @name; its root disk names that
 * pool from then on. Errors: ERR_INVALID while it runs, ERR_NOT_FOUND, ERR_CONFLICT when the name is
 * another's, ERR_UNSUPPORTED (size).
 */
int inst_move_to_pool(struct inst *inst, const char *pool, const char *name, struct op **ret_op,
		      struct err *err);

/* Take the journal row (taken) of a move that was interrupted: the half that does not count goes. */
void inst_move_clean_up(struct core *core, struct journal_record *row);

/*
 * What a root that stands on @image in pool @from stands on after a transfer to pool @to: the same,
 * where both pools have layers and the image is here; else NULL, it is whole. Borrowed.
 */
const char *inst_transfer_image(struct core *core, const char *from, const char *to,
				const char *image);

/* The source's settings into the record of a copy, where that has none of its own. */
int inst_copy_fill(struct core *core, struct inst_create_request *request, struct err *err);

/* Have @request make a copy: its still. */
void inst_copy_init(struct inst_create_request *request);

/* Steps of copies, around STILL_STEPS: op->args is the request, op->inst the copy. */
enum op_next inst_copy_hold(struct op *op);
enum op_next inst_copy_let_go(struct op *op);
enum op_next inst_copy_await_source(struct op *op); /* to another pool: its mounts are gone */
enum op_next inst_copy_have_image(struct op *op);   /* in another pool */
enum op_next inst_copy_journal(struct op *op);
enum op_next inst_copy_carry_over(struct op *op); /* from the detour to the pool of the copy */
enum op_next inst_copy_undo_carry(struct op *op);
enum op_next inst_copy_drop_detour(struct op *op);
enum op_next inst_copy_volume(struct op *op); /* the stage becomes the volume */
enum op_next inst_copy_snapshots(struct op *op);
enum op_next inst_copy_undo_snapshots(struct op *op);

/* What @record, of an instance or of what one was, is in @pool on @image (NULL: nothing). Owned. */
struct inst_record *inst_record_in_pool(struct core *core, const struct inst_record *record,
					const char *pool, const char *image);

/*
 * A new root for a stopped instance, from @image (alias, prefix, template; NULL: an empty one);
 * settings, addresses and ids stay. Errors: ERR_INVALID while it runs, ERR_NOT_FOUND.
 */
int inst_rebuild(struct inst *inst, const char *image, struct op **ret_op, struct err *err);

/* "web1.rebuild": the name of its new volume meanwhile; no instance can be called so. */
char *inst_rebuild_volume(const char *name);
enum op_next inst_replace_volume(struct op *op, const char *pool, const char *name);

struct inst_export {
	struct still still;   /* used while it runs */
	char *index, *backup; /* YAML: backup/index.yaml, backup/container/backup.yaml */
	char *compression;    /* of job_compressions */
	bool instance_only;   /* without the snapshots, which the index has else */
	struct job_pipe pipe; /* made by inst_export() */
};
void inst_export_free(struct inst_export *export);

/*
 * Pack an instance, with its snapshots, into the tarball that LXD and Incus call a backup; of one
 * that runs, a copy (core/still.h). @export: taken.
 *
 * @ret_fd: what to read it from, the caller's; it is whole only if the op succeeds.
 * Errors: ERR_INVALID for an unknown compression.
 */
int inst_export(struct inst *inst, struct inst_export *export, int *ret_fd, struct op **ret_op,
		struct err *err);

/* For the undo of an interrupted rename: JOB_VOLUME_RENAME as the current step of @op. */
enum op_next inst_move_volume(struct op *op, const char *pool, const char *from, const char *to,
			      job_done_fn *done);

/* Steps that give op->inst another name: it is held by a placeholder until it is taken or dropped. */
void inst_hold_name(struct op *op, const char *name);
void inst_drop_name(struct op *op, const char *name);

/* @record (taken), which is stored, is the instance's from now on, under its name. */
void inst_take_name(struct op *op, struct inst_record *record);

/* The directory of logs; nothing when there is none or when it was moved already. */
void inst_move_logs(struct core *core, const char *from, const char *to);

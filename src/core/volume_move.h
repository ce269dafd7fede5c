/*
 * core/volume_move.h - custom volumes to backups, as LXD and Incus write them, and back
 *
 * Layer: core. As core/inst_move.h: each call checks what can be checked at once and returns the
 * started op (borrowed). Nothing of a backup is on the disk: its bytes are packed while they are
 * fetched.
 *
 *   Q1  What is packed is a copy, so the volume is in use meanwhile as before.
 *   Q2  A volume out of a backup is there with its snapshots, or nothing is.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "core/op.h"

struct core;
struct volume;

struct volume_export {
	char *index;	   /* YAML: backup/index.yaml */
	char *compression; /* of job_compressions */
	bool alone;	   /* without the snapshots */
};

/*
 * @export: what is in it is taken. @ret_fd: what to read it from, the caller's; it is whole only if
 * the op succeeds. Errors: ERR_INVALID for an unknown compression; ERR_CONFLICT.
 */
int volume_export(struct volume *volume, struct volume_export *export, int *ret_fd,
		  struct op **ret_op, struct err *err);

/*
 * @name: NULL: as the backup says. @ret_body_fd: where it is to be written to, the caller's to close.
 * metadata of the op: "name", "left_out" (lines). Errors: ERR_INVALID, ERR_CONFLICT, ERR_NOT_FOUND.
 */
int volume_import(struct core *core, const char *pool, const char *name, int *ret_body_fd,
		  struct op **ret_op, struct err *err);

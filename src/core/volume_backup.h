/*
 * core/volume_backup.h - custom volumes to backups, as LXD and Incus write them, and back
 *
 * Layer: core. Nothing of a backup is on the disk: what its clients ask for in two steps is kept in
 * memory, and its bytes are packed while they are fetched. A client starts again after a restart.
 *
 *   Q1  What is packed is a copy, so the volume is in use meanwhile as before.
 *   Q2  A volume out of a backup is there with its snapshots, or nothing is.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "core/op.h"
#include "spec/backup_record.h"

struct core;
struct volume;

struct volume_export {
	char *index;	   /* YAML: backup/index.yaml */
	char *compression; /* of job_compressions */
	bool alone;	   /* without the snapshots */
};

/* Errors: ERR_NOT_FOUND, also for one that has expired. */
int volume_backup_find(struct volume *volume, const char *name, struct backup_record **ret_backup,
		       struct err *err);

/*
 * Done when they return. @given: copied; instance_only says that its snapshots stay out; an empty name
 * is chosen. Errors: ERR_INVALID, ERR_CONFLICT, ERR_UNAVAILABLE (BACKUPS_MAX are there).
 */
int volume_backup_create(struct volume *volume, const struct backup_record *given,
			 const struct backup_record **ret_backup, struct err *err);
int volume_backup_delete(struct volume *volume, const char *name, struct err *err);
void volume_backups_expire(struct volume *volume);

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

/*
 * core/inst_backup.h - backups in two steps: asked for, then fetched
 *
 * Layer: core. That is how LXD's and Incus' clients export. A backup is a row that says what is to
 * be packed; inst_export() packs it while it is fetched, as the instance is then.
 *
 *   B1  Nothing of it is on the disk but its row.
 *   B2  One that has expired is not there any more, whoever asks; a clock that was set back does not
 *       bring it back.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "spec/backup_record.h"

struct core;
struct inst;

int backups_load(struct core *core, struct err *err);

/* Errors: ERR_NOT_FOUND "Instance backup not found". */
int backup_find(struct inst *inst, const char *name, struct backup_record **ret_backup,
		struct err *err);

/*
 * All of these are done when they return. @given: copied; an empty name is chosen ("backup0").
 * Errors: ERR_INVALID, ERR_CONFLICT, ERR_UNAVAILABLE (BACKUPS_MAX are there).
 */
int backup_create(struct inst *inst, const struct backup_record *given,
		  const struct backup_record **ret_backup, struct err *err);
int backup_rename(struct inst *inst, const char *name, const char *new_name, struct err *err);
int backup_delete(struct inst *inst, const char *name, struct err *err);

bool backup_has_expired(const struct core *core, const struct backup_record *backup);

/* Delete those that have expired. */
void backups_expire(struct inst *inst);

/* Tell listeners "instance-backup-<verb>". */
void backup_publish(const struct inst *inst, const char *verb, const char *name);

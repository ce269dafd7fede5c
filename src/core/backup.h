/*
 * core/backup.h - backups in two steps: asked for, then fetched; of instances and custom volumes
 *
 * Layer: core. That is how LXD's and Incus' clients export. A backup is a row that says what is to
 * be packed; inst_export() or volume_export() packs it while it is fetched, as its owner is then.
 *
 *   B1  Nothing of it is on the disk but its row, which goes with its owner's.
 *   B2  One that has expired is not there any more, whoever asks; a clock that was set back does not
 *       bring it back.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/vec.h"
#include "spec/backup_record.h"

struct backup_kind;
struct core;
struct inst;
struct op;
struct volume;

/* Kept in the owner itself. */
struct backups {
	VEC(struct backup_record *) list; /* oldest first */
};
void backups_done(struct backups *backups);

/* Who has them, both kinds seen alike; everything is borrowed. */
struct backup_owner {
	const struct backup_kind *kind;
	struct core *core;
	struct backups *backups;
	struct inst *inst;     /* one of these; */
	struct volume *volume; /* the other is NULL */
};
struct backup_owner backup_owner_inst(struct inst *inst);
struct backup_owner backup_owner_volume(struct volume *volume);

/* Once all owners are there. */
int backups_load(struct core *core, struct err *err);

/* Errors: ERR_NOT_FOUND "Instance backup not found". */
int backup_find(const struct backup_owner *owner, const char *name,
		struct backup_record **ret_backup, struct err *err);

/*
 * All of these are done when they return. @given: copied; an empty name is chosen ("backup0").
 * Errors: ERR_INVALID, ERR_CONFLICT, ERR_UNAVAILABLE (BACKUPS_MAX are there).
 */
int backup_create(const struct backup_owner *owner, const struct backup_record *given,
		  const struct backup_record **ret_backup, struct err *err);
int backup_rename(const struct backup_owner *owner, const char *name, const char *new_name,
		  struct err *err);
int backup_delete(const struct backup_owner *owner, const char *name, struct err *err);

bool backup_has_expired(const struct core *core, const struct backup_record *backup);

/* Delete those that have expired. */
void backups_expire(const struct backup_owner *owner);

/* Tell listeners "instance-backup-<verb>" or "storage-volume-backup-<verb>". */
void backup_publish(const struct backup_owner *owner, const char *verb, const char *name);

/* The owner and its backup @name as resources of @op. */
void backup_add_resources(const struct backup_owner *owner, const char *name, struct op *op);

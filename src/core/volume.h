/*
 * core/volume.h - custom volumes: made, copied, kept as snapshots, restored, attached, deleted
 *
 * Layer: core. Each is a row and a directory named by a uuid, so that a name is nowhere else. What a
 * crash leaves half-made has a journal row ("volume-create", "volume-delete",
 * "volume-snapshot-create", "volume-snapshot-delete") that core/reconcile.c hands to
 * volume_clean_up(). Restoring needs none: it is one exchange of directories.
 *
 *   V1  What is in core->volumes and stored has a row, and its directory is complete.
 *   V2  While a device of an instance or a profile names it, it is neither deleted nor renamed nor moved.
 *   V3  Its content is exchanged only while no instance that has it runs.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/strmap.h"
#include "base/uuid.h"
#include "base/vec.h"
#include "core/backup.h"
#include "core/op.h"
#include "core/scheduled.h"
#include "spec/volume.h"

struct backup_index;
struct core;
struct job;
struct journal_record;
struct snapshot_request;

#define VOLUME_SIZE "volume-size" /* kind of a row of the journal: it may be any */

struct volume {
	struct core *core;
	struct volume_record *record;
	VEC(struct volume_snap *) snapshots; /* oldest first */
	struct backups backups;
	bool stored;	      /* in the database; false while it is being made */
	bool closed;	      /* to new users, as long as op_id works on it */
	struct op *awaiting;  /* instances that had it to be taken apart; it is claimed by that */
	char op_id[UUID_LEN]; /* who holds it; "", or of an op that has ended: nobody */
	char reader_id[UUID_LEN];	/* who reads its snapshots, the same; volume_read_on() */
	struct schedule_state schedule; /* core/scheduler.c */
};

/* Make *@volumes an empty map ("pool/name") that owns its volumes. */
void volume_map_init(struct strmap *volumes);
int volumes_load(struct core *core, struct err *err);

/* Errors: ERR_NOT_FOUND. */
int volume_find(struct core *core, const char *pool, const char *name, struct volume **ret_volume,
		struct err *err);
int volume_find_snap(const struct volume *volume, const char *name, struct volume_snap **ret_snap,
		     struct err *err);

/* Names of instances (by what they expand to) and of profiles with a device that names it: strv. */
struct volume_users {
	char **instances;
	char **profiles;
};
void volume_get_users(const struct volume *volume, struct volume_users *ret_users);
void volume_users_done(struct volume_users *users);
bool volume_has_running_users(const struct volume *volume);

/* Errors: ERR_CONFLICT that names the first user. */
int volume_check_unused(const struct volume *volume, struct err *err);

/* A disk device with pool and source, but for the root. Errors: ERR_NOT_FOUND. */
int volume_check_device(struct core *core, const struct strmap *device, struct err *err);

/* What is to be mounted for it: owned. Errors: ERR_NOT_FOUND, ERR_UNAVAILABLE, ERR_CONFLICT. */
int volume_fill_source(struct core *core, const struct strmap *device, char **ret_source,
		       struct err *err);

/* Whether pool @name has a volume, one that is being made included. */
bool volume_any_in(struct core *core, const char *pool);

/* What a copy is made of. */
struct volume_origin {
	const char *pool;
	const char *name;     /* NULL: none, the volume is empty */
	const char *snapshot; /* NULL: the volume as it is */
	bool alone;	      /* without its snapshots */
};

/*
 * Make the volume @record (copied; the uuid is chosen here). A copy takes what configuration and
 * description @record lacks from its origin.
 * Errors: ERR_CONFLICT (name), ERR_NOT_FOUND (pool, origin), ERR_UNSUPPORTED (size).
 */
int volume_create(struct core *core, const struct volume_record *record,
		  const struct volume_origin *origin, struct op **ret_op, struct err *err);

/*
 * Description and keys; another size is kept to from then on, also by instances that use it.
 * Errors: ERR_INVALID, ERR_UNSUPPORTED (size), ERR_CONFLICT; the op's also of volume_limit in
 * storage/driver.h.
 */
int volume_edit(struct volume *volume, const struct volume_record *record, struct op **ret_op,
		struct err *err);

/* Done when it returns. Errors: ERR_CONFLICT when the name is taken or while it has users. */
int volume_rename(struct volume *volume, const char *name, struct err *err);

/*
 * To another pool as @name, with its snapshots, unless @alone, and what hangs on its row.
 * Errors: ERR_CONFLICT (name, users), ERR_NOT_FOUND (pool), ERR_UNAVAILABLE, ERR_UNSUPPORTED (size).
 */
int volume_move(struct volume *volume, const char *pool, const char *name, bool alone,
		struct op **ret_op, struct err *err);

/*
 * With its snapshots. @forget: its pool is lost, and what is there stays there (pool_check_removal()).
 * Errors: ERR_CONFLICT that names a user, ERR_UNAVAILABLE.
 */
int volume_delete(struct volume *volume, bool forget, struct op **ret_op, struct err *err);

/* The op's metadata have "size" then. */
int volume_measure(struct volume *volume, struct op **ret_op, struct err *err);

/* A volume that is written to meanwhile is copied as it is read. @description may be NULL. */
int volume_snap_create(struct volume *volume, const struct snapshot_request *request,
		       const char *description, struct op **ret_op, struct err *err);
int volume_snap_restore(struct volume *volume, const char *name, struct op **ret_op,
			struct err *err);
int volume_snaps_delete(struct volume *volume, char *const *names, struct op **ret_op,
			struct err *err);

/* Name, description and expiry become those of @edited (copied). Done when it returns. */
int volume_snap_edit(struct volume *volume, const char *name, const struct volume_snap *edited,
		     struct err *err);

/* An instance may have let go of volumes: go on with what waits for that. */
void volumes_check_await(struct core *core);

/* Take the row (taken) of an operation that was interrupted: what it names goes. */
void volume_clean_up(struct core *core, struct journal_record *row);

/* ---- for the files of this module ---- */

/*
 * A volume with pool and name of @as and what the @index of a backup or its side file says, not in
 * core->volumes yet; uuids are new. Keys that cannot be taken are sentences added to *@left_out.
 * Errors: ERR_INVALID.
 */
int volume_from_index(struct core *core, const struct volume_record *as,
		      const struct backup_index *index, struct volume **ret_volume,
		      char ***left_out, struct err *err);

/* Whether a custom volume, or a snapshot of one, has the directory @uuid. */
bool volume_has_row(struct core *core, const char *uuid);

/* Give it to @op until that ends. Errors: ERR_CONFLICT. */
int volume_claim(struct volume *volume, const struct op *op, struct err *err);
int volume_check_free(const struct volume *volume, struct err *err);

/*
 * From now on @op, which has claimed it, only reads its snapshots, or what it copied: these stay until the op
 * ends; otherwise the volume is free again.
 */
void volume_read_on(struct volume *volume, const struct op *op);

bool volume_is_read(const struct volume *volume);

/* For what takes those away, or the volume. Errors: as volume_claim(). */
int volume_check_unread(const struct volume *volume, struct err *err);

/* "pool/name" as the resource of @op and, with @action, of a lifecycle event. @snap: NULL for none. */
void volume_add_resource(struct op *op, const struct volume_record *record, const char *snap);
void volume_publish(struct core *core, const char *action, const struct volume_record *record,
		    const char *snap);

/* In bytes; 0: none. */
uint64_t volume_size(const struct volume_record *record);

/* Whether its pool can hold it to its size. Errors: ERR_UNSUPPORTED with the reason. */
int volume_check_size(struct core *core, const struct volume_record *record, struct err *err);

/*
 * A row of the journal, in the open transaction, of a volume that is to get the size that its row says:
 * to be given to volume_clean_up() after the commit.
 */
int volume_journal_size(const struct volume *volume, struct journal_record **ret_row,
			struct err *err);

/* After a crash, as a step: the volume @uuid gets the size that its row says. */
enum op_next volume_limit_again(struct op *op, const char *uuid);

/* A journal row about @record's directory and the volumes @snapshots. In the open transaction. */
int volume_journal(struct op *op, const char *kind, const struct volume_record *record,
		   char *const *snapshots, struct err *err);
void volume_free(struct volume *volume);

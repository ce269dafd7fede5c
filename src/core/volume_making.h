/*
 * core/volume_making.h - what operations that make or copy a custom volume have in common
 *
 * Layer: core, for core/volume_*.c. A volume in the making has its name in core->volumes, where nobody finds
 * it until its row is there. What a crash leaves of it has a row of the journal, "volume-create".
 */
#pragma once

#include "base/strmap.h"
#include "base/uuid.h"
#include "core/job.h"
#include "core/volume.h"

/* args of an op whose steps make a volume begin with it; undone it is gone. */
struct volume_making {
	struct volume *volume; /* in core->volumes, the op's as long as it is not stored */
};
enum op_next volume_making_hold(struct op *op); /* its name is in core->volumes already */
enum op_next volume_making_undo_hold(struct op *op);
enum op_next volume_making_journal(struct op *op);
enum op_next volume_making_record(struct op *op);

/* Of the step with the journal: whatever those after it came to, since a helper that died may have made it. */
enum op_next volume_making_undo(struct op *op);

/* The same where it may become a copy. */
struct volume_copying {
	struct volume_making making;
	char *pool;	      /* where what is copied is; NULL: it is empty */
	char *from;	      /* a volume's uuid, or */
	char *from_snapshot;  /* a snapshot's */
	struct strmap copies; /* uuids of snapshots -> those of their copies */
	bool live;	      /* somebody may write to it */
};
void volume_copying_done(struct volume_copying *copying);

/* Take on copies of all snapshots of @from, with uuids of their own. */
void volume_copying_add_snapshots(struct volume_copying *copying, const struct volume *from);

/* As a step: the volume is made. @done as of job_run(). */
enum op_next volume_copying_make(struct op *op, job_done_fn *done);

/* Whether @record can become a volume: name, keys, pool, size. Errors: as volume_create(). */
int volume_making_check(struct core *core, const struct volume_record *record, struct err *err);

/* As a step, or its undo: the directories of @record and the @snapshots (uuids) go, their stages too. */
enum op_next volume_remove(struct op *op, const struct volume_record *record,
			   char *const *snapshots, job_done_fn *done, struct err *err);

/* Of the directories of its snapshots: strv. */
char **volume_snapshot_uuids(const struct volume *volume);

/*
 * A copy of a volume that may be written to: args of an op begin with it. After volume_still_table,
 * snap->volume is there until volume_still_drop; what a crash leaves is the journal's until its row
 * is erased.
 */
struct volume_still {
	struct volume *volume; /* claimed, so it stays */
	struct volume_snap *snap;
	char stage[UUID_LEN];
	bool live;
};
void volume_still_init(struct volume *volume, struct volume_still *ret_still);
extern const struct op_table volume_still_table;
enum op_next volume_still_drop(struct op *op);

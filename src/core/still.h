/*
 * core/still.h - a copy of an instance's root as of one moment, also while it runs
 *
 * Layer: core. What snapshots, copies of instances, refreshed ones, exports and published images have in
 * common, as steps of an operation:
 *
 *   copy -> settle -> freeze -> copy-rest -> thaw -> note-pause
 *
 * The first copy is made while the container works; then it holds still for what has changed since.
 * Writing out to the disk comes after that pause. What does not run is copied once and never frozen.
 * The copy is a stage (storage/copy.h), which the operation commits in a step of its own.
 *
 *   T1  A running instance is frozen only for the second pass; if sysctrd dies then, the monitor
 *       thaws it.
 *   T2  The stage is in the operation's row of the journal ("stage") before the first step.
 *   T3  One that reboots is waited for, for half a minute; one that has stopped is copied as it lies
 *       there. One that reboots while it is frozen begins its next life when it is thawed.
 *   T4  The operation holds what is copied (inst->op): nothing starts it, renames it or deletes it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aio/timer.h"
#include "base/uuid.h"
#include "core/op.h"

struct core;
struct job;
struct snap_record;

/* op->args begins with it. */
struct still {
	struct snap_record *snapshot; /* what the copy becomes; NULL: something else */
	char stage[UUID_LEN];
	const char *source; /* the instance that is copied, borrowed; NULL: op->inst */
	const char *pool;   /* where the stage is made, borrowed; NULL: the pool of op->inst */

	/* With source: say what is copied in @job (JOB_SNAPSHOT_COPY), in each pass the same. */
	int (*fill_job)(struct op *op, struct job *job);
	bool live;   /* a second pass is needed */
	bool frozen; /* by us */
	int64_t since_wall_ns;
	uint64_t frozen_ns;	   /* when, on the loop's clock */
	struct aio_timer patience; /* with a source that is between two states */
};

/* JOB_SNAPSHOT_DELETE as the current step: the stage in @pool goes, with a snapshot made of it. */
enum op_next still_drop(struct op *op, const char *pool);

/* A copy that gets no row, for still_table. */
void still_init(struct still *still);

/* Whatever has one calls it in the end: an operation can end while the source is waited for. */
void still_done(struct still *still);

/*
 * A worker tidies up after itself, unless it was killed, and a step that fails is not undone: what
 * there is of @stage goes, with nobody waiting.
 */
void still_drop_stage(struct core *core, const char *pool, const char *stage);

/*
 * The rows of a step table that make the copy. op->metadata gets "pause_ms", with source
 * "source_paused_ms": how long it was frozen.
 */
enum op_next still_step_copy(struct op *op);
enum op_next still_undo_copy(struct op *op);
enum op_next still_step_settle(struct op *op);
enum op_next still_step_freeze(struct op *op);
enum op_next still_undo_freeze(struct op *op);
enum op_next still_step_copy_rest(struct op *op);
enum op_next still_step_thaw(struct op *op);
enum op_next still_step_note_pause(struct op *op);
/* clang-format off */
#define STILL_STEPS                                              \
	{ "copy", still_step_copy, still_undo_copy },            \
	{ "settle", still_step_settle, NULL },                   \
	{ "freeze", still_step_freeze, still_undo_freeze },      \
	{ "copy-rest", still_step_copy_rest, NULL },             \
	{ "thaw", still_step_thaw, NULL },                       \
	{ "note-pause", still_step_note_pause, NULL }
/* clang-format on */

/* The journal's row "snapshot-create", and the stage becomes a snapshot's volume, with its size. */
enum op_next still_step_journal(struct op *op);
enum op_next still_step_commit(struct op *op);

/*
 * A snapshot's volume without a row: after this table still->snapshot->volume is there until
 * still_step_drop, and what a crash leaves is the journal's until still_step_erase.
 */
extern const struct op_table still_table;
enum op_next still_step_drop(struct op *op);
enum op_next still_step_erase(struct op *op);

/*
 * core/scheduler.h - snapshots by the clock, and the end of those that have expired
 *
 * Layer: core. Looks every ten seconds at what is due, of all kinds in core/scheduled.h; the rest is
 * operations of core/snapshot.h and core/volume.h.
 *
 *   K1  When an instance or a volume is due is computed when its schedule changes and after each run, and stored:
 *       a run that was missed is made up for, once.
 *   K2  A clock that was set back, or was wrong, does not delay: what is stored is never later than
 *       what the schedule says from now on.
 *   K3  Before a run goes what has expired or what snapshots.keep does not keep; of those made by
 *       hand only what has its own expiry behind it.
 *   K4  At most RUNS_MAX at once, who has waited longest first and without a pause in between; a
 *       failure is a warning about that one and nothing else.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct core;
struct inst;
struct scheduled;
struct scheduler;

struct scheduler *scheduler_new(struct core *core);
struct scheduler *scheduler_free(struct scheduler *scheduler); /* returns NULL */

/* Read when each is due. */
int scheduler_load(struct core *core, struct err *err);

/* Everything is known: begin. */
void scheduler_start(struct scheduler *scheduler);

/* The instance has just started: @startup. */
void scheduler_inst_started(struct inst *inst);

/* When the next run is, 0 for never; and what goes then: strv, the caller's. */
int64_t scheduler_next_wall_ns(const struct scheduled *scheduled);
char **scheduler_prune_list(const struct scheduled *scheduled, int64_t at_wall_ns);

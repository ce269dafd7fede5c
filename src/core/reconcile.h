/*
 * core/reconcile.h - after a start: find what runs, finish or undo what was interrupted
 *
 * Layer: core. Nothing here is special to a crash: an ordinary start does the same.
 *
 *   R1  A container that runs is found through its monitor's socket and otherwise left alone.
 *   R2  Only what carries our tag or lies in our directories is removed.
 */
#pragma once

struct core;
struct err;

/* Connect to every monitor; clean up after those that are gone. */
void reconcile_monitors(struct core *core);

/*
 * A monitor that was killed leaves its container without a master: kill that and remove its groups.
 * Blocks while its processes die, rarely more than some milliseconds.
 */
int reconcile_remove_cgroups(struct core *core, const char *name, struct err *err);

/* Start one operation for each journal row. */
void reconcile_journal(struct core *core);

/* Start, in order of boot.autostart.priority, what is to run and does not. */
void reconcile_autostart(struct core *core);

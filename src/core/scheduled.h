/*
 * core/scheduled.h - what has snapshots by the clock, instances and custom volumes, seen alike
 *
 * Layer: core. One row per kind; core/scheduler.c does the same for both.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "base/vec.h"

struct core;
struct db_runs;
struct inst;
struct op;
struct scheduled_kind;

/* Kept in the object itself; the scheduler's. */
struct schedule_state {
	char *text;		 /* what next was computed from */
	int64_t next_wall_ns;	 /* 0: never */
	bool at_start;		 /* it has started and has @startup */
	bool runs;		 /* the scheduler is at it */
	uint64_t rests_until_ns; /* it has failed; by the loop's time */
};

/* One of these; everything is borrowed. */
struct scheduled {
	const struct scheduled_kind *kind;
	struct core *core;
	void *object;
	const char *key; /* in the map of its kind */
	int64_t id;	 /* of its row */
	const struct strmap *config;
	struct schedule_state *state;
};

/* What decides when a snapshot goes. */
struct scheduled_snap {
	const char *name; /* borrowed */
	int64_t created_wall_ns;
	int64_t expires_wall_ns; /* 0: never */
	bool scheduled;
};

struct scheduled_snaps {
	VEC(struct scheduled_snap) list; /* oldest first */
};

struct scheduled_kind {
	const char *word;  /* "instance" */
	bool many_without; /* most have no schedule: those are not worth telling of */
	const struct db_runs *runs;
	const struct strmap *(*all)(const struct core *core);
	/* Errors: ERR_NOT_FOUND, ERR_INVALID. */
	int (*find)(struct core *core, const char *key, void **ret_object, struct err *err);
	void (*view)(void *object, struct scheduled *ret_scheduled); /* id, config, state */
	char *(*entity)(const char *key);     /* of warnings; owned by the caller */
	bool (*is_there)(const void *object); /* it has a row */
	bool (*is_busy)(const void *object);
	bool (*is_skipped)(const void *object); /* not now: it does not run */
	void (*add_snaps)(const void *object, struct scheduled_snaps *snaps);
	int (*create)(void *object, struct op **ret_op, struct err *err);
	int (*prune)(void *object, char *const *names, struct op **ret_op, struct err *err);
	void (*tidy)(void *object); /* what else has an end; NULL: nothing */
};

/* Ends with NULL. */
extern const struct scheduled_kind *const scheduled_kinds[];

/* @key: in the map of the kind; borrowed. */
struct scheduled scheduled_of(const struct scheduled_kind *kind, struct core *core, const char *key,
			      void *object);
struct scheduled scheduled_inst(struct inst *inst);

bool scheduled_is_skipped(const struct scheduled *scheduled);

/*
 * core/op.h - long activities: step tables, undo, progress, cancel
 *
 * Layer: core. Process: sysctrd. Nothing here blocks.
 *
 *        op_new -> PENDING -> RUNNING -> SUCCESS
 *                               |  \---> FAILURE     (a step failed; its table was undone)
 *                               \-> CANCELLING -> CANCELLED  (everything was undone)
 *
 * An op runs one or more step tables in order ("launch" is create, then start). A failing step has
 * the steps before it undone, last first, back to the last op_commit(); cancelling undoes all.
 *
 *   O1  A step that returned OP_WAIT is resumed by exactly one op_resume(); what calls it does
 *       nothing else.
 *   O2  An op is final only after its last change can be read through the API; then it stays
 *       readable for OP_KEEP_MS.
 *   O3  An instance belongs to at most one op (inst->op), from the claim step to the end, or until
 *       the op only reads what it copied (inst->readers): that stays, all else goes on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aio/loop.h"
#include "aio/timer.h"
#include "base/err.h"
#include "base/list.h"
#include "base/strmap.h"
#include "base/uuid.h"
#include "base/vec.h"

struct core;
struct inst;
struct op_streams;
struct op;

enum {
	OP_TABLES_MAX = 6,
	OP_KEEP_MS = 10000,
	OP_COUNT_MAX = 2000
};

enum op_next {
	OP_NEXT, /* go on with the following step */
	OP_WAIT, /* somebody holds this op and will call op_resume() */
	OP_FAIL, /* op->err is set */
	OP_NEXT_MAX
};

enum op_class {
	OP_TASK,
	OP_WEBSOCKET,
	OP_TOKEN,
	OP_CLASS_MAX
};
const char *op_class_name(enum op_class class);

enum op_status {
	OP_PENDING,
	OP_RUNNING,
	OP_CANCELLING,
	OP_SUCCESS,
	OP_FAILURE,
	OP_CANCELLED,
	OP_STATUS_MAX
};
/* The API's words and numbers ("Running", 103). */
const char *op_status_name(enum op_status status);
int op_status_code(enum op_status status);

struct op_step {
	const char *name; /* shown in events, traces and error messages */
	enum op_next (*run)(struct op *op);
	enum op_next (*undo)(struct op *op); /* NULL: nothing to undo; may wait, cannot fail */
};

struct op_table {
	const char *name;
	const struct op_step *steps; /* ends with a row without a name */
};

struct op_resource {
	const char *kind; /* "instances", "images": the collection in the API */
	char *name;
};

struct op_waiter {
	struct list node;
	void (*done)(struct op_waiter *waiter, struct op *op);
	void (*progress)(struct op_waiter *waiter, struct op *op); /* NULL: not interested */
};

struct op {
	struct list node; /* in ops.all */
	struct core *core;
	int refs;
	char id[UUID_LEN];
	enum op_class class;
	enum op_status status;
	const char *description; /* static: "Starting instance" */
	int64_t created_wall_ns, updated_wall_ns;
	struct err err;
	VEC(struct op_resource) resources;
	struct strmap metadata; /* of strings, as the API shows it */
	struct strmap fds;	/* stream name -> secret; shown to the creator only */
	bool has_return;
	int32_t return_code; /* of exec */
	uint32_t creator_uid;

	/* progress: stage NULL when there is none */
	char *stage;
	uint64_t now_bytes, total_bytes;
	uint64_t stage_start_ns, progress_sent_ns;

	/* the driver's place */
	const struct op_table *tables[OP_TABLES_MAX];
	size_t n_tables, table, step;
	size_t keep_table, keep_step; /* a later failure leaves what is before these */
	bool undoing, waiting, cancel_asked, no_return;
	bool undo_failed; /* something is left: the journal has to keep it */
	struct aio_timer expiry;

	/* what the steps work on */
	struct inst *inst;
	struct list reading; /* in inst->readers */
	void *args;
	void (*free_args)(void *args);
	void (*cancel_wait)(struct op *op); /* ends the current wait early; NULL: let it finish */
	void *cancel_data;		    /* of cancel_wait */

	struct list waiters;
	char *flight_key;	    /* core/flight.h; NULL: nobody joins it */
	struct op *flight;	    /* the one this op waits for; referenced; NULL: none */
	struct op_waiter passenger; /* in flight->waiters */
	bool again;		    /* the step that waits is to run once more */
	struct op_streams *streams; /* core/op_streams.h; NULL: it has none */
};

struct ops {
	struct list all;
	size_t count;
	const char *kill_after; /* "table/step": tests have the process killed there */
};

void ops_init(struct ops *ops);
void ops_done(struct ops *ops);

/*
 * Make a pending op.
 *
 * @args: taken, freed by @free_args.
 * Returns: borrowed; NULL with ERR_UNAVAILABLE when OP_COUNT_MAX are there (args are freed then).
 */
struct op *op_new(struct core *core, enum op_class class, const char *description, void *args,
		  void (*free_args)(void *), struct err *err);
void op_add_table(struct op *op, const struct op_table *table);
void op_add_resource(struct op *op, const char *kind, const char *name);
void op_start(struct op *op);

/* Called by a step: what is done up to and with it stays, also when a later step fails. */
void op_commit(struct op *op);

/* Called by a step: from here on the op can neither be cancelled nor undone. */
void op_no_return(struct op *op);

/* The answer of whoever a step waits for; OP_NEXT or OP_FAIL (op->err set). Reentrancy-safe. */
void op_resume(struct op *op, enum op_next next);

/* Instead of op_resume(): what the step waited for came to nothing; run it once more. */
void op_resume_again(struct op *op);

/* Shorthand of steps: the outcome of a reporting function. */
enum op_next op_result(int r);

/* Progress, passed on to listeners at most ten times a second; stage is copied. */
void op_progress(struct op *op, const char *stage, uint64_t now_bytes, uint64_t total_bytes);

/* Errors: ERR_INVALID when it is final already. */
int op_cancel(struct op *op, struct err *err);
bool op_is_final(const struct op *op);

/* NULL when there is none of that id. */
struct op *op_find(struct core *core, const char *id);

struct op *op_ref(struct op *op);
void op_unref(struct op *op);

/* Call @waiter->done once when @op is final (not before the next turn of the loop). */
void op_wait(struct op *op, struct op_waiter *waiter);
void op_wait_cancel(struct op_waiter *waiter);

/* "web1: make-root: ..." is built from these; the step that runs now, "" when none. */
const char *op_step_name(const struct op *op);

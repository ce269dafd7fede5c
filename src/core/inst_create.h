/*
 * core/inst_create.h - the steps that end in a new instance, for all that make one
 *
 * Layer: core. op->inst is a placeholder that the op has claimed: what inst_add() made, not stored.
 * Its snapshots, if it has any already, are volumes that come and go together with its own.
 */
#pragma once

#include "base/err.h"
#include "core/op.h"

struct core;
struct inst;
struct inst_record;

/* Errors: ERR_INVALID; ERR_CONFLICT when it is taken. */
int inst_check_new_name(struct core *core, const char *name, struct err *err);

/*
 * Whether that name is free in the pool too: what nobody knows there, perhaps of a pool from another host,
 * would be taken for what is to be made. Errors: ERR_CONFLICT, ERR_NOT_FOUND.
 */
int inst_check_no_root(struct core *core, const char *pool, const char *name, struct err *err);

/* The pool of the root disk it expands to. Errors: ERR_INVALID when there is none, ERR_NOT_FOUND. */
int inst_choose_pool(struct inst *inst, struct err *err);

enum op_next inst_create_undo_claim(struct op *op); /* the placeholder goes */

/* "instance-create": the volumes are nobody's until the row is there. Undone they go with it. */
enum op_next inst_create_journal(struct op *op);
enum op_next inst_create_undo_journal(struct op *op);

/* Rows of the instance, its snapshots and its addresses come; in one transaction. */
int inst_store(struct inst *inst, struct err *err);

/* The same, and the journal's row goes. */
enum op_next inst_create_record(struct op *op);
enum op_next inst_create_undo_record(struct op *op);

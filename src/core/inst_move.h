/*
 * core/inst_move.h - instances that get another name, and copies of them
 *
 * Layer: core. As core/inst_ops.h: each call checks what can be checked at once and returns the
 * started op (borrowed).
 */
#pragma once

#include "base/err.h"
#include "core/job.h"
#include "core/op.h"

struct core;
struct inst;

/* Errors: ERR_INVALID while it runs, ERR_CONFLICT when the name is taken. */
int inst_rename(struct inst *inst, const char *name, struct op **ret_op, struct err *err);

/* For the undo of an interrupted rename: JOB_VOLUME_RENAME as the current step of @op. */
enum op_next inst_move_volume(struct op *op, const char *pool, const char *from, const char *to,
			      job_done_fn *done);

/* The directory of logs; nothing when there is none or when it was moved already. */
void inst_move_logs(struct core *core, const char *from, const char *to);

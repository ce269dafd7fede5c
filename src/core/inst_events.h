/*
 * core/inst_events.h - what a monitor tells about its container, and who waits for it
 *
 * Layer: core.
 */
#pragma once

#include <stdbool.h>

#include "core/op.h"
#include "spec/msg.h"

struct inst;

/* An event of the monitor: state, addresses, ready, session ends, warnings. */
void inst_on_event(struct inst *inst, enum msg_type type, const struct msg *msg);

/* The monitor's connection ended: the container is gone as well. */
void inst_on_monitor_gone(struct inst *inst);

/*
 * Have the op that holds @inst wait until @reached says so; it is asked now and after every event.
 * A true answer with op->err set fails the step. Returns: what the step returns.
 */
typedef bool inst_reached_fn(struct inst *inst, struct op *op);
enum op_next inst_await_of(struct op *op, struct inst *inst, inst_reached_fn *reached);
enum op_next inst_await(struct op *op, inst_reached_fn *reached); /* of op->inst */

/* No monitor is left. */
bool inst_is_released(struct inst *inst, struct op *op);

/* Steps of many tables: nothing runs; and no monitor is left, so that the volume is free. */
enum op_next inst_step_check_stopped(struct op *op);
enum op_next inst_step_await_released(struct op *op);

/* Ask the op's wait again, for reasons other than events (a timer). */
void inst_check_await(struct inst *inst);

/* Send a plain request to a monitor as the op's current step; a refusal fails it. */
enum op_next inst_request_to(struct op *op, struct inst *inst, enum msg_type type,
			     const struct msg *msg);
/* The same to that of op->inst. */
enum op_next inst_request(struct op *op, enum msg_type type, const struct msg *msg);

/* core/inst_events.c - see inst_events.h */
#include "core/inst_events.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/exec_session.h"
#include "core/inst.h"
#include "core/inst_ops.h"
#include "core/monitor_conn.h"
#include "core/reconcile.h"
#include "core/volume.h"

/* What a monitor's state means here. */
static const enum inst_state states[] = {
	[MON_STARTING] = INST_STARTING,	 [MON_RUNNING] = INST_RUNNING,
	[MON_FROZEN] = INST_FROZEN,	 [MON_STOPPING] = INST_STOPPING,
	[MON_REBOOTING] = INST_STARTING, [MON_STOPPED] = INST_STOPPED,
	[MON_RELEASED] = INST_STOPPED,
};

static void on_state(struct inst *inst, const struct msg *msg)
{
	struct log_keys keys = { .inst = inst->record->name };
	bool ran;

	if (msg->state >= MON_STATE_MAX)
		return;
	inst->pid = msg->pid;
	inst->ready = msg->ready;
	if (msg->started_wall_ns)
		inst->started_wall_ns = (int64_t)msg->started_wall_ns;
	if (msg->state == MON_STOPPED || msg->state == MON_RELEASED)
		inst->releasing = true;
	if (msg->state == MON_STOPPED && msg->text) {
		replace_str(&inst->last_error, msg->text);
		if (msg->number == MON_EXIT_FAILED || msg->number == MON_EXIT_CRASHED)
			log_warn(keys, "container ended: %s", msg->text);
	}
	if (msg->state == MON_STOPPED)
		inst->crashed = msg->number == MON_EXIT_CRASHED;
	ran = inst->state != INST_STARTING;
	inst_set_state(inst, states[msg->state]);
	if (inst->adopted && inst_is_running(inst)) {
		inst->adopted = false;
		inst_push_spec(inst); /* an edit may have been cut short */
	}
	if (msg->state == MON_STOPPED && !inst->op)
		inst_stopped_by_itself(inst);
	else if (msg->state == MON_STOPPED)
		inst->stopped_meanwhile = ran; /* looked at when the op lets go of it */
}

static void on_addresses(struct inst *inst, const struct msg *msg)
{
	struct buf bytes = { 0 };

	wire_free(&msg_schema, &inst->addresses);
	wire_encode(&msg_schema, msg, &bytes);
	(void)wire_decode(&msg_schema, bytes.data, bytes.len, &inst->addresses, NULL);
	buf_done(&bytes);
}

void inst_on_event(struct inst *inst, enum msg_type type, const struct msg *msg)
{
	switch ((int)type) {
	case MSG_STATE:
		on_state(inst, msg);
		break;
	case MSG_ADDRESSES:
		on_addresses(inst, msg);
		break;
	case MSG_READY:
		inst->ready = true;
		events_publish_lifecycle(&inst->core->events, "instance-ready", "instances",
					 inst->record->name);
		break;
	case MSG_SESSION_EXIT:
		exec_session_exited(inst, msg);
		break;
	case MSG_SESSION_KEPT:
		exec_session_kept(inst, msg);
		break;
	case MSG_WARNING:
		log_warn(((struct log_keys){ .inst = inst->record->name }), "%s",
			 msg->text ? msg->text : "");
		break;
	default:
		break; /* a newer monitor's: P1 */
	}
	inst_check_await(inst);
}

/* Without this its processes would go on writing to a volume that counts as free. */
static void kill_container(struct inst *inst)
{
	struct err err = { 0 };

	if (reconcile_remove_cgroups(inst->core, inst->record->name, &err) < 0)
		log_error(((struct log_keys){ .inst = inst->record->name }),
			  "kill what its monitor left: %s", err.msg);
}

void inst_on_monitor_gone(struct inst *inst)
{
	bool expected = inst->releasing;

	inst->releasing = false;
	exec_sessions_monitor_gone(inst);
	if (!expected) {
		replace_str(&inst->last_error, "its monitor ended unexpectedly");
		log_error(((struct log_keys){ .inst = inst->record->name }), "%s",
			  inst->last_error);
		kill_container(inst);
	}
	inst_set_state(inst, INST_STOPPED);
	if (!expected && !inst->op) {
		inst->crashed = true;
		(void)inst_autorestart(inst);
	}
	inst_check_await(inst);
	volumes_check_await(inst->core);
}

enum op_next inst_await_of(struct op *op, struct inst *inst, inst_reached_fn *reached)
{
	if (reached(inst, op))
		return op->err.code < 0 && !op->undoing ? OP_FAIL : OP_NEXT;
	inst->op_reached = reached;
	return OP_WAIT;
}

enum op_next inst_await(struct op *op, inst_reached_fn *reached)
{
	return inst_await_of(op, op->inst, reached);
}

enum op_next inst_step_check_stopped(struct op *op)
{
	if (op->inst->state == INST_STOPPED)
		return OP_NEXT;
	(void)err_kind(&op->err, ERR_INVALID, "Instance is running");
	return OP_FAIL;
}

bool inst_is_released(struct inst *inst, struct op *op)
{
	(void)op;
	return !inst->conn;
}

enum op_next inst_step_await_released(struct op *op)
{
	return inst_await(op, inst_is_released);
}

void inst_check_await(struct inst *inst)
{
	struct op *op = inst->op;

	if (!op || !inst->op_reached || !inst->op_reached(inst, op))
		return;
	inst->op_reached = NULL;
	op_resume(op, op->err.code < 0 && !op->undoing ? OP_FAIL : OP_NEXT);
}

static void request_answered(void *data, const struct msg *answer, enum msg_type type, int *fds,
			     size_t n_fds)
{
	struct op *op = data;
	struct err err = { 0 };

	(void)fds;
	(void)n_fds;
	if (monitor_answer_err(answer, type, &err) < 0 && !op->undoing)
		op->err = err;
	op_resume(op, op->err.code < 0 && !op->undoing ? OP_FAIL : OP_NEXT);
	op_unref(op);
}

enum op_next inst_request_to(struct op *op, struct inst *inst, enum msg_type type,
			     const struct msg *msg)
{
	int r = monitor_request(inst, type, msg, NULL, 0, request_answered, op);

	if (r < 0) {
		if (op->undoing)
			return OP_NEXT;
		(void)err_set(&op->err, r, "ask the monitor (%s)", msg_type_name(type));
		return OP_FAIL;
	}
	(void)op_ref(op);
	return OP_WAIT;
}

enum op_next inst_request(struct op *op, enum msg_type type, const struct msg *msg)
{
	return inst_request_to(op, op->inst, type, msg);
}

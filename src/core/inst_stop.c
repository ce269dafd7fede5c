/*
 * core/inst_stop.c - stop, freeze and thaw a running instance
 *
 *   stop:   check -> thaw -> halt -> await-stopped -> record
 *   freeze: check-running -> freeze      unfreeze: check-frozen -> thaw
 *
 * stop answers when init is dead; what is left to unmount is the monitor's and the next start's.
 */
#include <inttypes.h>

#include "aio/timer.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/inst_events.h"
#include "core/inst_ops.h"
#include "core/monitor_conn.h"
#include "db/instances.h"

static enum op_next fail(struct op *op, const char *text)
{
	(void)err_kind(&op->err, ERR_INVALID, "%s", text);
	return OP_FAIL;
}

static enum op_next step_check(struct op *op)
{
	const struct inst *inst = op->inst;

	if (!inst->conn || inst->state == INST_STOPPED)
		return fail(op, "The instance is already stopped");
	return OP_NEXT;
}

static bool wants_kill(const struct inst_stop_args *args)
{
	return args->force || args->timeout_s == 0;
}

static enum op_next step_thaw(struct op *op)
{
	if (op->inst->state != INST_FROZEN || wants_kill(op->args))
		return OP_NEXT;
	return inst_request(op, MSG_THAW, NULL);
}

static enum op_next step_halt(struct op *op)
{
	return inst_request(op, wants_kill(op->args) ? MSG_KILL : MSG_STOP, NULL);
}

static void timed_out(void *data)
{
	struct op *op = data;
	const struct inst_stop_args *args = op->args;

	(void)err_kind(&op->err, ERR_INTERNAL,
		       "its init did not stop within %" PRId64 " s; it still runs. Use --force to "
		       "kill it",
		       args->timeout_s);
	inst_check_await(op->inst);
}

static bool is_stopped(struct inst *inst, struct op *op)
{
	struct inst_stop_args *args = op->args;

	if (inst->state != INST_STOPPED && op->err.code == 0)
		return false;
	if (inst->state == INST_STOPPED)
		op->err = (struct err){ 0 };
	aio_timer_stop(&args->timer);
	return true;
}

static void stop_waiting(struct op *op)
{
	(void)err_kind(&op->err, ERR_CANCELLED, "cancelled; its init may still be stopping");
	inst_check_await(op->inst);
}

static enum op_next step_await_stopped(struct op *op)
{
	struct inst_stop_args *args = op->args;

	if (args->timeout_s > 0 && !wants_kill(args))
		aio_timer_start(op->core->loop, &args->timer, (uint64_t)args->timeout_s * NS_PER_S,
				timed_out, op);
	op->cancel_wait = stop_waiting;
	return inst_await(op, is_stopped);
}

static enum op_next step_record(struct op *op)
{
	struct inst_record *record = op->inst->record;

	if (op->core->shutting_down) /* the host goes down: it is to come back as it was */
		return OP_NEXT;
	if (db_instance_set_power(op->core->db, record->id, "stopped", &op->err) < 0)
		return OP_FAIL;
	replace_str(&record->power, "stopped");
	return OP_NEXT;
}

static const struct op_step stop_steps[] = {
	{ "check", step_check, NULL },	 { "thaw", step_thaw, NULL },
	{ "halt", step_halt, NULL },	 { "await-stopped", step_await_stopped, NULL },
	{ "record", step_record, NULL }, { 0 },
};
const struct op_table inst_stop_table = { "stop", stop_steps };

static enum op_next step_check_running(struct op *op)
{
	if (op->inst->state != INST_RUNNING)
		return fail(op, "The instance is not running");
	return OP_NEXT;
}

static enum op_next step_freeze(struct op *op)
{
	return inst_request(op, MSG_FREEZE, NULL);
}

static const struct op_step freeze_steps[] = {
	{ "check", step_check_running, NULL },
	{ "freeze", step_freeze, NULL },
	{ 0 },
};
const struct op_table inst_freeze_table = { "freeze", freeze_steps };

static enum op_next step_check_frozen(struct op *op)
{
	if (op->inst->state != INST_FROZEN)
		return fail(op, "The instance is not frozen");
	return OP_NEXT;
}

static enum op_next step_unfreeze(struct op *op)
{
	return inst_request(op, MSG_THAW, NULL);
}

static const struct op_step unfreeze_steps[] = {
	{ "check", step_check_frozen, NULL },
	{ "thaw", step_unfreeze, NULL },
	{ 0 },
};
const struct op_table inst_unfreeze_table = { "unfreeze", unfreeze_steps };

/* core/inst_ops.c - see inst_ops.h: state changes, edits, and what a container does by itself */
#include "core/inst_ops.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "aio/loop.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/inst.h"
#include "db/instances.h"
#include "spec/keys.h"

static const struct {
	const char *word;
	const char *description;
	const struct op_table *tables[2];
} actions[] = {
	[INST_START] = { "start", "Starting instance", { &inst_start_table } },
	[INST_STOP] = { "stop", "Stopping instance", { &inst_stop_table } },
	[INST_RESTART] = { "restart",
			   "Restarting instance",
			   { &inst_stop_table, &inst_start_table } },
	[INST_FREEZE] = { "freeze", "Freezing instance", { &inst_freeze_table } },
	[INST_UNFREEZE] = { "unfreeze", "Unfreezing instance", { &inst_unfreeze_table } },
};
static_assert(ARRAY_LEN(actions) == INST_ACTION_MAX, "one row per action");

int inst_action_parse(const char *word, enum inst_action *ret_action, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (streq(actions[i].word, word)) {
			*ret_action = (enum inst_action)i;
			return 0;
		}
	}
	return err_kind(
		err, ERR_INVALID,
		"unknown action \"%s\"; start, stop, restart, freeze and unfreeze are known",
		word ? word : "");
}

static void free_stop_args(void *data)
{
	struct inst_stop_args *args = data;

	aio_timer_stop(&args->timer);
	free(args);
}

int inst_change_state(struct inst *inst, enum inst_action action, int64_t timeout_s, bool force,
		      struct op **ret_op, struct err *err)
{
	struct inst_stop_args *args;
	struct op *op;
	int r = core_check_open(inst->core, err);

	if (r < 0)
		return r;
	args = xcalloc(1, sizeof(*args));
	args->timeout_s = timeout_s;
	args->force = force;
	op = op_new(inst->core, OP_TASK, actions[action].description, args, free_stop_args, err);
	if (!op)
		return -EBUSY;
	r = inst_claim(inst, op, err);
	if (r < 0) {
		op_unref(op);
		return r;
	}
	op_add_resource(op, "instances", inst->record->name);
	for (size_t i = 0; i < ARRAY_LEN(actions[action].tables); i++)
		if (actions[action].tables[i])
			op_add_table(op, actions[action].tables[i]);
	if (action == INST_STOP && inst->record->ephemeral && list_empty(&inst->readers))
		op_add_table(op, &inst_delete_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

/* ---- what happens without being asked ---- */

void inst_check_ephemeral(struct inst *inst)
{
	struct err err = { 0 };
	struct op *op;

	if (!inst->record->ephemeral || !inst->stored || inst->state != INST_STOPPED || inst->op ||
	    !list_empty(&inst->readers) || inst->record->last_used_wall_ns == 0 ||
	    streq(inst->record->power, "running") || inst->core->shutting_down)
		return;
	if (inst_delete(inst, false, &op, &err) < 0)
		log_error(((struct log_keys){ .inst = inst->record->name }),
			  "delete the stopped ephemeral instance: %s", err.msg);
}

/* Whether one more start is within the limit; counts it. */
static bool may_restart(struct inst *inst)
{
	uint64_t now = aio_now(inst->core->loop);
	uint64_t *slot = &inst->restarted_ns[inst->n_restarts % INST_RESTARTS];

	if (inst->n_restarts >= INST_RESTARTS && now - *slot < (uint64_t)INST_RESTARTS_S * NS_PER_S)
		return false;
	*slot = now;
	inst->n_restarts++;
	return true;
}

bool inst_autorestart(struct inst *inst)
{
	struct log_keys keys = { .inst = inst->record->name, .op = "autorestart" };
	struct err err = { 0 };
	struct op *op;

	if (!inst->crashed || !inst->stored || inst->core->shutting_down ||
	    !keys_get_bool(&inst->expanded.config, "boot.autorestart", false))
		return false;
	inst->crashed = false;
	if (!may_restart(inst)) {
		log_error(keys, "crashed %d times within %d s, and is left stopped",
			  INST_RESTARTS + 1, INST_RESTARTS_S);
		return false;
	}
	if (inst_change_state(inst, INST_START, -1, false, &op, &err) < 0) {
		log_error(keys, "%s", err.msg);
		return false;
	}
	log_info(keys, "crashed and is started again");
	return true;
}

void inst_stopped_by_itself(struct inst *inst)
{
	struct err err = { 0 };

	if (inst->core->shutting_down || !inst->stored)
		return;
	if (inst_autorestart(inst))
		return;
	if (db_instance_set_power(inst->core->db, inst->record->id, "stopped", &err) < 0)
		log_error(((struct log_keys){ .inst = inst->record->name }),
			  "record that it stopped: %s", err.msg);
	replace_str(&inst->record->power, "stopped");
	inst_check_ephemeral(inst);
}

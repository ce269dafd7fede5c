/*
 * core/inst_start.c - bring a stopped instance to RUNNING
 *
 *   check -> await-released -> await-files -> ids -> size -> network -> filters ->
 *     spawn-monitor -> await-running -> record
 *
 * The op holds the instance already. A failure leaves it STOPPED with the reason in last_error.
 */
#include <stdlib.h>

#include "aio/loop.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/files.h"
#include "core/hotplug.h"
#include "core/inst.h"
#include "core/inst_events.h"
#include "core/inst_ids.h"
#include "core/inst_ops.h"
#include "core/monitor_conn.h"
#include "core/nat.h"
#include "core/network.h"
#include "core/network_filter.h"
#include "core/nicfilter.h"
#include "core/pool.h"
#include "core/privileged.h"
#include "core/quota.h"
#include "core/scheduler.h"
#include "db/instances.h"
#include "network/filter.h"
#include "spec/device.h"
#include "spec/keys.h"

static enum op_next step_check(struct op *op)
{
	if (op->inst->state != INST_STOPPED) {
		(void)err_kind(&op->err, ERR_INVALID, "The instance is already running");
		return OP_FAIL;
	}
	if (keys_get_bool(&op->inst->expanded.config, "security.protection.start", false)) {
		(void)err_kind(&op->err, ERR_INVALID,
			       "it is protected from starts (security.protection.start)");
		return OP_FAIL;
	}
	return op_result(pool_check_there(op->core, op->inst->record->pool, &op->err));
}

/* Nobody is in its files with the old ones any more. */
static enum op_next step_ids(struct op *op)
{
	return op_result(inst_settle_ids(op->inst, &op->err));
}

int inst_ensure_networks(struct inst *inst, struct err *err)
{
	strmap_for_each(entry, &inst->expanded.devices)
	{
		const char *network = device_get(entry->value, "network", NULL);
		int r;

		if (!streq(device_get(entry->value, "type", NULL), "nic") || !network)
			continue;
		r = netman_ensure(inst->core->net, network, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A network that is not there is said now, not by a container without an address. */
static enum op_next step_network(struct op *op)
{
	return op_result(inst_ensure_networks(op->inst, &op->err));
}

static void filters_done(void *data, const struct err *err)
{
	struct op *op = data;

	if (err) {
		op->err = *err;
		op->inst->starts = false;
	}
	op_resume(op, err ? OP_FAIL : OP_NEXT);
}

static bool has_filters(const struct inst *inst)
{
	struct net_filters filters = { 0 };
	bool has;

	nicfilter_add(inst, &filters);
	has = !net_filters_empty(&filters);
	net_filters_done(&filters);
	return has;
}

/* The first frame that it sends is judged already. */
static enum op_next step_filters(struct op *op)
{
	if (nat_check(op->inst, false, &op->err) < 0 || hotplug_check(op->inst, &op->err) < 0)
		return OP_FAIL;
	if (!has_filters(op->inst))
		return OP_NEXT;
	op->inst->starts = true;
	return netman_filters_apply(op->core->net, filters_done, op) ? OP_NEXT : OP_WAIT;
}

static enum op_next undo_filters(struct op *op)
{
	op->inst->starts = false;
	nicfilter_changed(op->inst);
	return OP_NEXT;
}

static enum op_next step_spawn_monitor(struct op *op)
{
	struct inst *inst = op->inst;
	struct inst_spec spec = { 0 };
	int r = core_check_open(op->core, &op->err); /* the host may go down by now */

	if (r == 0)
		r = inst_make_spec(inst, &spec, &op->err);
	if (r == 0)
		r = monitor_spawn(inst, &spec, &op->err);
	wire_free(&inst_spec_schema, &spec);
	if (r < 0)
		return OP_FAIL;
	inst->releasing = false;
	replace_str(&inst->last_error, NULL);
	inst_set_state(inst, INST_STARTING);
	inst->starts = false;
	return OP_NEXT;
}

static enum op_next undo_spawn_monitor(struct op *op)
{
	if (!op->inst->conn)
		return OP_NEXT;
	(void)monitor_request(op->inst, MSG_KILL, NULL, NULL, 0, NULL, NULL);
	return inst_step_await_released(op);
}

static bool is_running(struct inst *inst, struct op *op)
{
	if (inst->state == INST_RUNNING)
		return true;
	if (inst->state != INST_STOPPED)
		return false;
	(void)err_kind(&op->err, ERR_INTERNAL, "%s",
		       inst->last_error ? inst->last_error : "it stopped at once");
	return true;
}

static void kill_starting(struct op *op)
{
	(void)monitor_request(op->inst, MSG_KILL, NULL, NULL, 0, NULL, NULL);
}

static enum op_next step_await_running(struct op *op)
{
	op->cancel_wait = kill_starting;
	return inst_await(op, is_running);
}

static int store_started(struct db *db, int64_t id, int64_t wall_ns, struct err *err)
{
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	r = db_instance_set_last_used(db, id, wall_ns, err);
	if (r == 0)
		r = db_instance_set_power(db, id, "running", err);
	return db_end(db, r, err);
}

static enum op_next step_record(struct op *op)
{
	struct inst *inst = op->inst;
	int64_t now = aio_wall_now(op->core->loop);

	if (store_started(op->core->db, inst->record->id, now, &op->err) < 0)
		return OP_FAIL;
	inst->record->last_used_wall_ns = now;
	replace_str(&inst->record->power, "running");
	privileged_warn(inst);
	scheduler_inst_started(inst);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "check", step_check, NULL },
	{ "await-released", inst_step_await_released, NULL },
	{ "await-files", files_step_await_idle, NULL },
	{ "ids", step_ids, NULL },
	{ "size", quota_step_settle, NULL },
	{ "network", step_network, NULL },
	{ "filters", step_filters, undo_filters },
	{ "spawn-monitor", step_spawn_monitor, undo_spawn_monitor },
	{ "await-running", step_await_running, NULL },
	{ "record", step_record, NULL },
	{ 0 },
};
const struct op_table inst_start_table = { "start", steps };

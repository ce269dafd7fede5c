/* core/inst.c - see inst.h */
#include "core/inst.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "aio/loop.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/files.h"
#include "core/inst_ids.h"
#include "core/inst_ops.h"
#include "core/monitor_conn.h"
#include "core/nicfilter.h"
#include "core/pool.h"
#include "core/seccomp.h"
#include "core/volume.h"
#include "spec/daemon_config.h"
#include "spec/device.h"
#include "spec/expand.h"
#include "spec/keys.h"
#include "spec/names.h"

static const struct {
	const char *name;
	int code;
} states[] = {
	[INST_STOPPED] = { "Stopped", 102 },   [INST_STARTING] = { "Starting", 106 },
	[INST_RUNNING] = { "Running", 103 },   [INST_FROZEN] = { "Frozen", 110 },
	[INST_STOPPING] = { "Stopping", 107 }, [INST_ERROR] = { "Error", 112 },
};
static_assert(ARRAY_LEN(states) == INST_STATE_MAX, "one row per state");

const char *inst_state_name(enum inst_state state)
{
	return states[state].name;
}

int inst_state_code(enum inst_state state)
{
	return states[state].code;
}

static void inst_free(void *value)
{
	struct inst *inst = value;

	files_forget_inst(inst);
	monitor_conn_close(inst);
	inst_record_free(inst->record);
	expanded_done(&inst->expanded);
	wire_free(&msg_schema, &inst->addresses);
	snap_list_done(&inst->snapshots);
	backups_done(&inst->backups);
	free(inst->schedule.text);
	free(inst->last_error);
	free(inst->cpus);
	free(inst);
}

void inst_map_init(struct strmap *instances)
{
	*instances = (struct strmap){ .free_value = inst_free };
}

struct inst *inst_add(struct core *core, struct inst_record *record)
{
	struct inst *inst = xcalloc(1, sizeof(*inst));

	inst->core = core;
	inst->record = record;
	list_init(&inst->sessions);
	list_init(&inst->readers);
	strmap_set_take(&core->instances, record->name, inst);
	return inst;
}

void inst_remove(struct inst *inst)
{
	(void)strmap_unset(&inst->core->instances, inst->record->name);
}

int inst_find(struct core *core, const char *name, struct inst **ret_inst, struct err *err)
{
	struct inst *inst;
	int r = name_validate(NAME_INSTANCE, name, err);

	if (r < 0)
		return r;
	inst = strmap_get(&core->instances, name);
	if (!inst || !inst->stored)
		return err_kind(err, ERR_NOT_FOUND, "Instance not found: \"%s\"", name);
	*ret_inst = inst;
	return 0;
}

int inst_check_free(const struct inst *inst, struct err *err)
{
	if (!inst->op)
		return 0;
	return err_kind(err, ERR_CONFLICT,
			"instance \"%s\" is busy: operation %s (%s, step %s) has it",
			inst->record->name, inst->op->id, inst->op->description,
			op_step_name(inst->op));
}

int inst_check_unread(const struct inst *inst, struct err *err)
{
	const struct op *reader = list_empty(&inst->readers)
					  ? NULL
					  : list_entry(inst->readers.next, struct op, reading);

	if (inst->op || !reader)
		return inst_check_free(inst, err);
	return err_kind(err, ERR_CONFLICT,
			"instance \"%s\" is being read: operation %s (%s, step %s) needs its "
			"snapshots until it is done; wait for it or cancel it",
			inst->record->name, reader->id, reader->description, op_step_name(reader));
}

static int claim(struct inst *inst, struct op *op, int refused)
{
	if (refused < 0)
		return refused;
	inst->op = op;
	inst->stopped_meanwhile = false;
	op->inst = inst;
	return 0;
}

int inst_claim(struct inst *inst, struct op *op, struct err *err)
{
	return claim(inst, op, inst_check_free(inst, err));
}

int inst_claim_unread(struct inst *inst, struct op *op, struct err *err)
{
	return claim(inst, op, inst_check_unread(inst, err));
}

enum op_next inst_step_read_on(struct op *op)
{
	list_append(&op->inst->readers, &op->reading);
	inst_release(op->inst, op);
	return OP_NEXT;
}

void core_release(struct op *op)
{
	bool was_reading = !list_empty(&op->reading);
	struct inst *inst = op->inst;

	list_remove(&op->reading);
	op->inst = NULL;
	if (inst)
		inst_release(inst, op);
	if (was_reading)
		inst_check_ephemeral(inst); /* it may have stopped meanwhile */
}

void inst_release(struct inst *inst, struct op *op)
{
	if (inst->op != op)
		return;
	inst->op = NULL;
	inst->op_reached = NULL; /* it may have been cancelled while it waited */
	if (inst->stopped_meanwhile && inst->state == INST_STOPPED &&
	    streq(inst->record->power, "running"))
		inst_stopped_by_itself(inst);
	else
		inst_check_ephemeral(inst);
}

/* The profiles of @record in order; missing ones are NULL. */
static const struct profile_record **collect_profiles(struct core *core,
						      const struct inst_record *record,
						      const struct profile_record *edited)
{
	size_t n = strv_len(record->profiles);
	const struct profile_record **list = xcalloc(n + 1, sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		if (edited && streq(edited->name, record->profiles[i]))
			list[i] = edited;
		else
			list[i] = strmap_get(&core->profiles, record->profiles[i]);
	}
	return list;
}

void inst_expand_with(struct core *core, const struct inst_record *record,
		      const struct profile_record *edited, struct expanded *ret_expanded)
{
	_cleanup_(freep) const struct profile_record **profiles =
		collect_profiles(core, record, edited);

	expand_instance(record, profiles, strv_len(record->profiles), ret_expanded, NULL);
}

void inst_origins(const struct inst *inst, struct expanded *ret_origins)
{
	_cleanup_(freep) const struct profile_record **profiles =
		collect_profiles(inst->core, inst->record, NULL);
	struct expanded expanded;

	expand_instance(inst->record, profiles, strv_len(inst->record->profiles), &expanded,
			ret_origins);
	expanded_done(&expanded);
}

void inst_expand(struct inst *inst)
{
	expanded_done(&inst->expanded);
	inst_expand_with(inst->core, inst->record, NULL, &inst->expanded);
}

static int check_expanded(struct core *core, const struct expanded *expanded, struct err *err)
{
	struct seccomp_policy policy = seccomp_policy_of(&expanded->config);
	struct limits limits = { 0 };
	uint32_t cpu_count;
	int r = keys_validate(&expanded->config, err);

	if (r == 0)
		r = limits_from_config(&expanded->config, core->host_memory_bytes, &limits,
				       &cpu_count, err);
	wire_free(&limits_schema, &limits);
	if (r == 0)
		r = inst_check_idmap(core, &expanded->config, err);
	if (r == 0)
		r = seccomp_policy_check(&policy, err);
	if (r == 0)
		r = devices_validate(&expanded->devices, err);
	for (size_t i = 0; r == 0 && i < expanded->devices.len; i++) {
		const struct strmap *device = expanded->devices.items[i].value;

		r = device_is_root(device) ? pool_check_root(core, device, err)
					   : volume_check_device(core, device, err);
		if (r < 0)
			(void)err_wrap(err, "device \"%s\"", expanded->devices.items[i].key);
	}
	return r;
}

/* Its root does not move with an edit. */
static int check_pool_stays(const struct inst *inst, const struct expanded *expanded,
			    struct err *err)
{
	const char *root = devices_root(&expanded->devices);
	const char *pool =
		root ? device_get(devices_get(&expanded->devices, root), "pool", NULL) : NULL;

	if (!pool || streq(pool, inst->record->pool))
		return 0;
	return err_kind(err, ERR_INVALID,
			"Cannot update root disk device pool name: the instance is on \"%s\"",
			inst->record->pool);
}

int inst_check_record(struct core *core, const struct inst_record *record,
		      const struct profile_record *edited, struct err *err)
{
	_cleanup_(freep) const struct profile_record **profiles =
		collect_profiles(core, record, edited);
	size_t n = strv_len(record->profiles);
	const struct inst *inst = strmap_get(&core->instances, record->name);
	struct expanded expanded = { 0 };
	int r;

	for (size_t i = 0; i < n; i++)
		if (!profiles[i])
			return err_kind(err, ERR_NOT_FOUND, "profile \"%s\" does not exist",
					record->profiles[i]);
	r = keys_validate(&record->config, err);
	if (r < 0)
		return r;
	expand_instance(record, profiles, n, &expanded, NULL);
	r = check_expanded(core, &expanded, err);
	if (r == 0 && inst && inst->stored)
		r = check_pool_stays(inst, &expanded, err);
	if (r == 0 && inst && inst->conn && !inst->releasing)
		r = devices_check_live(&inst->expanded.devices, &expanded.devices, err);
	expanded_done(&expanded);
	return r;
}

bool inst_is_running(const struct inst *inst)
{
	return inst->state == INST_RUNNING || inst->state == INST_FROZEN;
}

/* The lifecycle event of a move, NULL when nobody would look for it. */
static const char *lifecycle_of(enum inst_state from, enum inst_state to)
{
	if (to == INST_RUNNING)
		return from == INST_FROZEN ? "instance-resumed" : "instance-started";
	if (to == INST_FROZEN)
		return "instance-paused";
	if (to == INST_STOPPED && from != INST_STARTING)
		return "instance-stopped";
	return NULL;
}

void inst_set_state(struct inst *inst, enum inst_state state)
{
	const char *action = lifecycle_of(inst->state, state);

	if (inst->state == state)
		return;
	log_trace(((struct log_keys){ .inst = inst->record->name }), "%s -> %s",
		  inst_state_name(inst->state), inst_state_name(state));
	inst->state = state;
	if (state == INST_STOPPED) {
		inst->pid = 0;
		inst->ready = false;
		wire_free(&msg_schema, &inst->addresses);
		nicfilter_changed(inst);
	}
	if (action && !inst->holds_still)
		events_publish_lifecycle(&inst->core->events, action, "instances",
					 inst->record->name);
}

char *inst_runtime_dir(const struct inst *inst)
{
	return xasprintf("%s/instances/%s", inst->core->dirs.runtime, inst->record->name);
}

char *inst_log_dir(const struct inst *inst)
{
	return xasprintf("%s/%s", inst->core->dirs.log, inst->record->name);
}

/* core/inst_ops.c - see inst_ops.h: state changes, edits, and what a container does by itself */
#include "core/inst_ops.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/journal.h"
#include "core/monitor_conn.h"
#include "core/network.h"
#include "db/instances.h"
#include "spec/device.h"
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
	if (action == INST_STOP && inst->record->ephemeral)
		op_add_table(op, &inst_delete_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

/* ---- edits ---- */

/* "copy --refresh" of other clients sends the source's configuration, addresses and ids included. */
static void drop_foreign_volatile(struct strmap *config, const struct strmap *old)
{
	const char *uuid = strmap_get(config, "volatile.uuid");

	if (!uuid || streq(uuid, strmap_get(old, "volatile.uuid")))
		return;
	for (size_t i = config->len; i-- > 0;)
		if (str_after(config->items[i].key, "volatile."))
			(void)strmap_unset(config, config->items[i].key);
}

/* What no edit changes, carried over from the record that is there. */
static void keep_fixed_parts(struct inst_record *record, const struct inst_record *old)
{
	record->id = old->id;
	replace_str(&record->name, old->name);
	replace_str(&record->architecture, old->architecture);
	replace_str(&record->pool, old->pool);
	replace_str(&record->image_fingerprint, old->image_fingerprint);
	replace_str(&record->power, old->power);
	record->created_wall_ns = old->created_wall_ns;
	record->last_used_wall_ns = old->last_used_wall_ns;
	record->id_base = old->id_base;
	record->id_count = old->id_count;
	drop_foreign_volatile(&record->config, &old->config);
	strmap_for_each(entry, &old->config) if (str_after(entry->key, "volatile.") &&
						 !strmap_has(&record->config, entry->key))
		strmap_set(&record->config, entry->key, entry->value);
}

/* @op: whose journal row is done with; NULL: nobody's. */
static int store(struct inst *inst, const struct inst_record *record, struct op *op,
		 struct err *err)
{
	struct db *db = inst->core->db;
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	r = db_instance_update(db, record, err);
	if (r == 0)
		r = inst_assign_nics(inst, err);
	if (r == 0 && op)
		r = journal_erase_in_tx(op, err);
	if (r == 0)
		return db_commit(db, err);
	db_rollback(db);
	netman_rolled_back(inst->core->net);
	return r;
}

/* Takes the checked @record. */
static int replace_record(struct inst *inst, struct inst_record *record, struct op *op,
			  struct err *err)
{
	_cleanup_(inst_record_freep) struct inst_record *new_record = record;
	struct inst_record *old = inst->record;
	int r;

	/* The expansion is tried on: what the transaction refuses is taken back (C2). */
	inst->record = new_record;
	inst_expand(inst);
	inst_fill_hwaddrs(inst);
	r = store(inst, new_record, op, err);
	if (r < 0) {
		inst->record = old;
		inst_expand(inst);
		return r;
	}
	new_record = NULL;
	/* The map's key belongs to the map: the old record can go. */
	inst_record_free(old);
	inst_push_spec(inst);
	return 0;
}

int inst_update(struct inst *inst, struct inst_record *record, struct err *err)
{
	_cleanup_(inst_record_freep) struct inst_record *new_record = record;
	int r = inst_check_free(inst, err);

	if (r < 0)
		return r;
	keep_fixed_parts(new_record, inst->record);
	keys_drop_empty(&new_record->config);
	r = inst_check_record(inst->core, new_record, NULL, err);
	if (r == 0)
		r = replace_record(inst, TAKE_PTR(new_record), NULL, err);
	if (r < 0)
		return r;
	events_publish_lifecycle(&inst->core->events, "instance-updated", "instances",
				 inst->record->name);
	return 0;
}

int inst_check_restored(struct inst *inst, const struct inst_record *record, struct err *err)
{
	_cleanup_(inst_record_freep) struct inst_record *copy = inst_record_copy(record);

	keep_fixed_parts(copy, inst->record);
	return inst_check_record(inst->core, copy, NULL, err);
}

int inst_update_restored(struct op *op, struct inst_record *record, const char *image,
			 struct err *err)
{
	struct inst *inst = op->inst;
	struct inst_record *new_record = record ? record : inst_record_copy(inst->record);

	keep_fixed_parts(new_record, inst->record);
	replace_str(&new_record->image_fingerprint, image);
	return replace_record(inst, new_record, op, err);
}

static void spec_answered(void *data, const struct msg *answer, enum msg_type type, int *fds,
			  size_t n_fds)
{
	_cleanup_(freep) char *name = data;
	struct err err = { 0 };

	(void)fds;
	(void)n_fds;
	if (answer && monitor_answer_err(answer, type, &err) < 0)
		log_warn(((struct log_keys){ .inst = name }), "apply new configuration: %s",
			 err.msg);
}

void inst_push_spec(struct inst *inst)
{
	struct inst_spec spec = { 0 };
	struct err err = { 0 };
	char *name;

	if (!inst->conn || inst->releasing)
		return;
	name = xstrdup(inst->record->name);
	if (inst_make_spec(inst, &spec, &err) < 0 ||
	    monitor_request_spec(inst, &spec, spec_answered, name, &err) < 0) {
		log_warn(((struct log_keys){ .inst = name }), "apply new configuration: %s",
			 err.msg);
		free(name);
	}
	wire_free(&inst_spec_schema, &spec);
}

/* ---- what happens without being asked ---- */

void inst_check_ephemeral(struct inst *inst)
{
	struct err err = { 0 };
	struct op *op;

	if (!inst->record->ephemeral || !inst->stored || inst->state != INST_STOPPED ||
	    inst->record->last_used_wall_ns == 0 || streq(inst->record->power, "running") ||
	    inst->core->shutting_down)
		return;
	if (inst_delete(inst, &op, &err) < 0)
		log_error(((struct log_keys){ .inst = inst->record->name }),
			  "delete the stopped ephemeral instance: %s", err.msg);
}

void inst_stopped_by_itself(struct inst *inst)
{
	struct err err = { 0 };

	if (inst->core->shutting_down || !inst->stored)
		return;
	if (db_instance_set_power(inst->core->db, inst->record->id, "stopped", &err) < 0)
		log_error(((struct log_keys){ .inst = inst->record->name }),
			  "record that it stopped: %s", err.msg);
	replace_str(&inst->record->power, "stopped");
	inst_check_ephemeral(inst);
}

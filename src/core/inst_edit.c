/*
 * core/inst_edit.c - edit an instance: its monitor first, then the database
 *
 *   apply -> size -> store
 *
 * Until the transaction is committed memory shows what was; what is to become is tried on for the
 * moment in which it is checked or resolved.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/inst_ops.h"
#include "core/journal.h"
#include "core/live.h"
#include "core/monitor_conn.h"
#include "core/network.h"
#include "core/privileged.h"
#include "core/quota.h"
#include "db/instances.h"
#include "spec/keys.h"

struct edit {
	struct inst_record *record; /* NULL once it is the instance's */
	struct live *live;
	uint64_t size_bytes; /* of its root disk, once "apply" was run */
};

static void free_edit(void *data)
{
	struct edit *edit = data;

	inst_record_free(edit->record);
	(void)live_free(edit->live);
	free(edit);
}

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

static struct inst_record *try_on(struct inst *inst, struct inst_record *record)
{
	struct inst_record *old = inst->record;

	inst->record = record;
	inst_expand(inst);
	inst_note_nics(inst);
	return old;
}

static void take_off(struct inst *inst, struct inst_record *old)
{
	inst->record = old;
	inst_expand(inst);
}

/*
 * @keep: else it was only to see whether the database would take it.
 * @op: whose journal row is done with; NULL: nobody's.
 */
static int write_row(struct inst *inst, bool keep, struct op *op, struct err *err)
{
	struct db *db = inst->core->db;
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	r = db_instance_update(db, inst->record, err);
	if (r == 0)
		r = inst_assign_nics(inst, err);
	if (r == 0 && op)
		r = journal_erase_in_tx(op, err);
	if (r == 0 && keep)
		return db_commit(db, err);
	db_rollback(db);
	netman_rolled_back(inst->core->net);
	return r;
}

static enum op_next step_apply(struct op *op)
{
	struct edit *edit = op->args;
	struct inst *inst = op->inst;
	struct inst_record *old = try_on(inst, edit->record);
	int r = live_ask(edit->live, inst, &op->err);

	edit->size_bytes = quota_wanted(&inst->expanded);
	take_off(inst, old);
	return r < 0 ? OP_FAIL : live_await(op, edit->live);
}

static enum op_next undo_apply(struct op *op)
{
	struct edit *edit = op->args;

	live_take_back(edit->live);
	return OP_NEXT;
}

static enum op_next step_size(struct op *op)
{
	const struct edit *edit = op->args;

	return quota_change(op, edit->size_bytes);
}

static enum op_next undo_size(struct op *op)
{
	return quota_change(op, quota_wanted(&op->inst->expanded));
}

static enum op_next step_store(struct op *op)
{
	struct edit *edit = op->args;
	struct inst *inst = op->inst;
	struct inst_record *old;

	quota_carry(edit->record, inst->record);
	old = try_on(inst, edit->record);

	if (write_row(inst, true, NULL, &op->err) < 0) {
		take_off(inst, old);
		return OP_FAIL;
	}
	edit->record = NULL;
	/* The map's key belongs to the map: the old record can go. */
	inst_record_free(old);
	live_settled(edit->live);
	op_no_return(op);
	privileged_warn(inst);
	events_publish_lifecycle(&inst->core->events, "instance-updated", "instances",
				 inst->record->name);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "apply", step_apply, undo_apply },
	{ "size", step_size, undo_size },
	{ "store", step_store, NULL },
	{ 0 },
};
static const struct op_table edit_table = { "edit", steps };

static int check(struct inst *inst, struct inst_record *record, struct err *err)
{
	struct inst_record *old = inst->record;
	int r = inst_check_free(inst, err);

	if (r < 0)
		return r;
	keep_fixed_parts(record, old);
	keys_drop_empty(&record->config);
	r = inst_check_record(inst->core, record, NULL, err);
	if (r < 0)
		return r;
	(void)try_on(inst, record);
	r = write_row(inst, false, NULL, err);
	take_off(inst, old);
	return r;
}

int inst_update(struct inst *inst, struct inst_record *record, struct op **ret_op, struct err *err)
{
	struct edit *edit;
	struct op *op;
	int r = check(inst, record, err);

	if (r < 0) {
		inst_record_free(record);
		return r;
	}
	edit = xcalloc(1, sizeof(*edit));
	edit->record = record;
	edit->live = live_new(inst->core);
	op = op_new(inst->core, OP_TASK, "Updating instance", edit, free_edit, err);
	if (!op)
		return -EBUSY;
	(void)inst_claim(inst, op, NULL); /* checked: nobody has it */
	op_add_resource(op, "instances", inst->record->name);
	op_add_table(op, &edit_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

int inst_check_restored(struct inst *inst, const struct inst_record *record, struct err *err)
{
	_cleanup_(inst_record_freep) struct inst_record *copy = inst_record_copy(record);

	keep_fixed_parts(copy, inst->record);
	return inst_check_record(inst->core, copy, NULL, err);
}

int inst_update_restored(struct op *op, struct inst_record *record, const char *image, bool runs,
			 struct err *err)
{
	struct inst *inst = op->inst;
	struct inst_record *new_record = record ? record : inst_record_copy(inst->record);
	struct inst_record *old;
	int r;

	keep_fixed_parts(new_record, inst->record);
	replace_str(&new_record->image_fingerprint, image);
	if (runs)
		replace_str(&new_record->power, "running");
	old = try_on(inst, new_record);
	quota_note(new_record, quota_wanted(&inst->expanded));
	r = write_row(inst, true, op, err);
	if (r < 0) {
		take_off(inst, old);
		inst_record_free(new_record);
		return r;
	}
	inst_record_free(old);
	return 0;
}

static void spec_answered(void *data, const struct msg *answer, enum msg_type type, int *fds,
			  size_t n_fds)
{
	_cleanup_(freep) char *name = data;
	struct err err = { 0 };

	(void)fds;
	(void)n_fds;
	if (answer && monitor_answer_err(answer, type, &err) < 0)
		log_warn(((struct log_keys){ .inst = name }), "apply configuration: %s", err.msg);
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
		log_warn(((struct log_keys){ .inst = name }), "apply configuration: %s", err.msg);
		free(name);
	}
	wire_free(&inst_spec_schema, &spec);
}

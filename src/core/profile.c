/* core/profile.c - see profile.h */
#include "core/profile.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/inst_ops.h"
#include "core/live.h"
#include "core/network.h"
#include "core/quota.h"
#include "db/instances.h"
#include "db/profiles.h"
#include "spec/keys.h"
#include "spec/names.h"

int profile_find(struct core *core, const char *name, struct profile_record **ret_profile,
		 struct err *err)
{
	struct profile_record *profile = strmap_get(&core->profiles, name);

	if (!profile)
		return err_kind(err, ERR_NOT_FOUND, "Profile not found: \"%s\"", name);
	*ret_profile = profile;
	return 0;
}

bool profile_is_used_by(const char *name, const struct inst *inst)
{
	return strv_contains((const char *const *)inst->record->profiles, name);
}

static void publish(struct core *core, const char *action, const char *name)
{
	events_publish_lifecycle(&core->events, action, "profiles", name);
}

int profile_create(struct core *core, const struct profile_record *record, struct err *err)
{
	_cleanup_(profile_record_freep) struct profile_record *copy = profile_record_copy(record);
	int r;

	keys_drop_empty(&copy->config);
	r = profile_record_validate(copy, err);
	if (r == 0 && strmap_has(&core->profiles, copy->name))
		r = err_kind(err, ERR_CONFLICT, "profile \"%s\" exists already", copy->name);
	if (r == 0)
		r = db_profile_insert(core->db, copy, err);
	if (r < 0)
		return r;
	publish(core, "profile-created", copy->name);
	strmap_set_take(&core->profiles, record->name, TAKE_PTR(copy));
	return 0;
}

static int check_users(struct core *core, const struct profile_record *edited, struct err *err)
{
	strmap_for_each(entry, &core->instances)
	{
		const struct inst *inst = entry->value;
		int r;

		if (!profile_is_used_by(edited->name, inst))
			continue;
		r = inst_check_record(core, inst->record, edited, err);
		if (r < 0) {
			enum err_kind kind = err ? err->kind : ERR_INVALID;

			(void)err_wrap(err, "instance \"%s\" uses profile \"%s\"", entry->key,
				       edited->name);
			if (err)
				err->kind = kind;
			return r;
		}
	}
	return 0;
}

/* Nics get and lose addresses in the same transaction as the profile. */
static int store_users(struct core *core, const char *name, struct err *err)
{
	strmap_for_each(entry, &core->instances)
	{
		struct inst *inst = entry->value;
		int r = 0;

		if (!inst->stored || !profile_is_used_by(name, inst))
			continue;
		inst_note_nics(inst);
		r = db_instance_update(core->db, inst->record, err);
		if (r == 0)
			r = inst_assign_nics(inst, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static void expand_users(struct core *core, const char *name)
{
	strmap_for_each(entry, &core->instances) if (profile_is_used_by(name, entry->value))
		inst_expand(entry->value);
}

/* @keep: else it was only to see whether the database would take it. */
static int store(struct core *core, const struct profile_record *record, bool keep, struct err *err)
{
	int r = db_begin(core->db, err);

	if (r < 0)
		return r;
	r = db_profile_update(core->db, record, err);
	if (r == 0)
		r = store_users(core, record->name, err);
	if (r == 0 && keep)
		return db_commit(core->db, err);
	db_rollback(core->db);
	netman_rolled_back(core->net);
	return r;
}

/* Put @record in the place of the one that is there. Returns: that one, no longer the map's. */
static struct profile_record *swap(struct core *core, struct profile_record *record)
{
	struct profile_record *old = strmap_get(&core->profiles, record->name);
	struct profile_record *keep = profile_record_copy(old);

	strmap_set_take(&core->profiles, record->name, record); /* frees old */
	expand_users(core, record->name);
	return keep;
}

int profile_check_edit(struct core *core, const struct profile_record *record, struct err *err)
{
	int r = profile_record_validate(record, err);

	return r < 0 ? r : check_users(core, record, err);
}

/* ---- edit: the monitors of all that use it, then the database ---- */

struct edit {
	struct profile_record *record; /* NULL once it is the map's */
	struct live *live;
};

static void free_edit(void *data)
{
	struct edit *edit = data;

	profile_record_free(edit->record);
	(void)live_free(edit->live);
	free(edit);
}

static int ask_users(struct core *core, struct edit *edit, struct err *err)
{
	strmap_for_each(entry, &core->instances)
	{
		struct inst *inst = entry->value;
		int r = 0;

		if (!profile_is_used_by(edit->record->name, inst))
			continue;
		inst_note_nics(inst);
		if (inst->stored)
			r = live_ask(edit->live, inst, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static enum op_next step_apply(struct op *op)
{
	struct edit *edit = op->args;
	struct profile_record *old, *tried = profile_record_copy(edit->record);
	struct err err = { 0 };

	old = swap(op->core, tried);
	if (ask_users(op->core, edit, &err) < 0)
		live_refuse(edit->live, &err);
	profile_record_free(swap(op->core, old)); /* C2: as if nothing had been */
	return live_await(op, edit->live);
}

static enum op_next undo_apply(struct op *op)
{
	struct edit *edit = op->args;

	live_take_back(edit->live);
	return OP_NEXT;
}

static enum op_next step_store(struct op *op)
{
	struct edit *edit = op->args;
	_cleanup_(freep) char *name = xstrdup(edit->record->name);
	struct profile_record *old, *record = TAKE_PTR(edit->record);

	if (!strmap_get(&op->core->profiles, name)) {
		profile_record_free(record);
		(void)err_kind(&op->err, ERR_CONFLICT, "profile \"%s\" went meanwhile", name);
		return OP_FAIL;
	}
	old = swap(op->core, record);
	if (store(op->core, record, true, &op->err) < 0) {
		profile_record_free(swap(op->core, old));
		return OP_FAIL;
	}
	profile_record_free(old);
	live_settled(edit->live);
	op_no_return(op);
	/* An instance may have been edited or started meanwhile. */
	strmap_for_each(entry, &op->core->instances) if (profile_is_used_by(name, entry->value))
	{
		inst_push_spec(entry->value);
		quota_settle_later(entry->value);
	}
	publish(op->core, "profile-updated", name);
	return OP_NEXT;
}

static const struct op_step edit_steps[] = {
	{ "apply", step_apply, undo_apply },
	{ "store", step_store, NULL },
	{ 0 },
};
static const struct op_table edit_table = { "profile-edit", edit_steps };

/* What the database would say, before any monitor is asked. */
static int try_store(struct core *core, const struct profile_record *record, struct err *err)
{
	struct profile_record *tried = profile_record_copy(record);
	struct profile_record *old = swap(core, tried);
	int r = store(core, tried, false, err);

	profile_record_free(swap(core, old));
	return r;
}

int profile_update(struct core *core, const struct profile_record *record, struct op **ret_op,
		   struct err *err)
{
	_cleanup_(profile_record_freep) struct profile_record *copy = NULL;
	struct profile_record *current = NULL;
	struct edit *edit;
	struct op *op;
	int r = profile_find(core, record->name, &current, err);

	if (r < 0)
		return r;
	copy = profile_record_copy(record);
	copy->id = current->id;
	keys_drop_empty(&copy->config);
	r = profile_check_edit(core, copy, err);
	if (r == 0)
		r = try_store(core, copy, err);
	if (r < 0)
		return r;
	edit = xcalloc(1, sizeof(*edit));
	edit->record = TAKE_PTR(copy);
	edit->live = live_new(core);
	op = op_new(core, OP_TASK, "Updating profile", edit, free_edit, err);
	if (!op)
		return -EBUSY;
	op_add_resource(op, "profiles", record->name);
	op_add_table(op, &edit_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

static int refuse_default(const char *name, const char *what, struct err *err)
{
	if (streq(name, PROFILE_DEFAULT))
		return err_kind(err, ERR_INVALID,
				"the profile \"" PROFILE_DEFAULT "\" cannot be %s", what);
	return 0;
}

static void rename_in_instances(struct core *core, const char *name, const char *new_name)
{
	strmap_for_each(entry, &core->instances)
	{
		struct inst *inst = entry->value;

		for (char **p = inst->record->profiles; p && *p; p++)
			if (streq(*p, name))
				replace_str(p, new_name);
		inst_expand(inst);
	}
}

int profile_rename(struct core *core, const char *name, const char *new_name, struct err *err)
{
	_cleanup_(profile_record_freep) struct profile_record *copy = NULL;
	struct profile_record *current = NULL;
	int r = profile_find(core, name, &current, err);

	if (r == 0)
		r = refuse_default(name, "renamed", err);
	if (r == 0)
		r = name_validate(NAME_PROFILE, new_name, err);
	if (r == 0 && strmap_has(&core->profiles, new_name))
		r = err_kind(err, ERR_CONFLICT, "profile \"%s\" exists already", new_name);
	if (r < 0)
		return r;
	copy = profile_record_copy(current);
	replace_str(&copy->name, new_name);
	r = db_profile_update(core->db, copy, err);
	if (r < 0)
		return r;
	strmap_set_take(&core->profiles, new_name, TAKE_PTR(copy));
	(void)strmap_unset(&core->profiles, name);
	rename_in_instances(core, name, new_name);
	publish(core, "profile-renamed", new_name);
	return 0;
}

int profile_delete(struct core *core, const char *name, struct err *err)
{
	struct profile_record *current = NULL;
	int r = profile_find(core, name, &current, err);

	if (r == 0)
		r = refuse_default(name, "deleted", err);
	if (r < 0)
		return r;
	strmap_for_each(entry, &core->instances) if (
		profile_is_used_by(
			name,
			entry->value)) return err_kind(err, ERR_INVALID,
						       "Profile is currently in use: instance \"%s\"",
						       entry->key);
	r = db_profile_delete(core->db, current->id, err);
	if (r < 0)
		return r;
	(void)strmap_unset(&core->profiles, name);
	publish(core, "profile-deleted", name);
	return 0;
}

/* core/preview.c - see preview.h */
#include "core/preview.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/profile.h"
#include "spec/device.h"
#include "spec/expand.h"
#include "spec/keys.h"

static const char *const at_names[] = {
	[CHANGE_NOW] = "now",
	[CHANGE_RESTART] = "restart",
	[CHANGE_START] = "start",
};
static_assert(ARRAY_LEN(at_names) == CHANGE_AT_MAX, "one name each");

const char *change_at_name(enum change_at at)
{
	return at_names[at];
}

void changes_done(struct changes *changes)
{
	vec_for_each(change, &changes->list) {
		free(change->instance);
		free(change->device);
		free(change->key);
		free(change->from);
		free(change->to);
	}
	free(changes->list.items);
	*changes = (struct changes){ 0 };
}

/* What one comparison works with. */
struct diff {
	const struct inst *inst;
	const char *device;	       /* NULL: configuration */
	const struct key_table *table; /* NULL: nothing of it is live */
	struct changes *out;
};

static enum change_at when(const struct diff *diff, const char *key)
{
	const struct key_row *row = diff->table ? key_find(diff->table, key) : NULL;

	if (!diff->inst->conn)
		return CHANGE_START;
	return row && (row->flags & KEY_LIVE) ? CHANGE_NOW : CHANGE_RESTART;
}

static void add(const struct diff *diff, const char *key, const char *from, const char *to)
{
	struct change *change = vec_push(&diff->out->list);

	*change = (struct change){
		.instance = xstrdup(diff->inst->record->name),
		.device = xstrdup(diff->device),
		.key = xstrdup(key),
		.from = xstrdup(from),
		.to = xstrdup(to),
		.at = when(diff, key),
	};
}

/* Either map may be NULL. */
static void compare(const struct diff *diff, const struct strmap *from, const struct strmap *to)
{
	static const struct strmap nothing;

	from = from ? from : &nothing;
	to = to ? to : &nothing;
	strmap_for_each(entry, to)
	{
		const char *old = strmap_get(from, entry->key);

		if (!streq(old, entry->value))
			add(diff, entry->key, old, entry->value);
	}
	strmap_for_each(entry, from) if (!strmap_has(to, entry->key))
		add(diff, entry->key, entry->value, NULL);
}

static void compare_device(struct diff *diff, const char *name, const struct strmap *from,
			   const struct strmap *to)
{
	diff->device = name;
	diff->table = device_options(device_get(to ? to : from, "type", ""));
	compare(diff, from, to);
}

static void compare_expanded(const struct inst *inst, const struct expanded *to,
			     struct changes *out)
{
	const struct expanded *from = &inst->expanded;
	struct diff diff = { .inst = inst, .table = &instance_keys, .out = out };

	compare(&diff, &from->config, &to->config);
	strmap_for_each(entry, &to->devices)
		compare_device(&diff, entry->key, devices_get(&from->devices, entry->key),
			       entry->value);
	strmap_for_each(entry, &from->devices) if (!devices_get(&to->devices, entry->key))
		compare_device(&diff, entry->key, entry->value, NULL);
}

int profile_preview(struct core *core, const struct profile_record *record,
		    struct changes *ret_changes, struct err *err)
{
	_cleanup_(profile_record_freep) struct profile_record *copy = profile_record_copy(record);
	int r;

	keys_drop_empty(&copy->config);
	r = profile_check_edit(core, copy, err);
	if (r < 0)
		return r;
	strmap_for_each(entry, &core->instances)
	{
		const struct inst *inst = entry->value;
		struct expanded expanded = { 0 };

		if (!profile_is_used_by(copy->name, inst))
			continue;
		inst_expand_with(core, inst->record, copy, &expanded);
		compare_expanded(inst, &expanded, ret_changes);
		expanded_done(&expanded);
	}
	return 0;
}

int inst_preview(const struct inst *inst, const struct inst_record *record,
		 struct changes *ret_changes, struct err *err)
{
	_cleanup_(inst_record_freep) struct inst_record *copy = inst_record_copy(record);
	struct expanded expanded = { 0 };
	int r = inst_check_free(inst, err);

	if (r < 0)
		return r;
	strmap_for_each(entry, &inst->record->config) if (str_after(entry->key, "volatile.") &&
							  !strmap_has(&copy->config, entry->key))
		strmap_set(&copy->config, entry->key, entry->value);
	keys_drop_empty(&copy->config);
	r = inst_check_record(inst->core, copy, NULL, err);
	if (r < 0)
		return r;
	inst_expand_with(inst->core, copy, NULL, &expanded);
	compare_expanded(inst, &expanded, ret_changes);
	expanded_done(&expanded);
	return 0;
}

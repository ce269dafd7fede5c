/* core/backup.c - see backup.h */
#include "core/backup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aio/loop.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/op.h"
#include "core/volume.h"
#include "db/backups.h"
#include "spec/job.h"
#include "spec/names.h"

#define NAME_PREFIX "backup"

/* How the two kinds of owners are spoken of. */
struct backup_kind {
	const char *missing;	      /* as LXD says it */
	const char *action;	      /* of events, before the verb */
	const char *owners, *backups; /* as resources */
};
static const struct backup_kind insts = {
	.missing = "Instance backup not found",
	.action = "instance-backup",
	.owners = "instances",
	.backups = "instances_backups",
};
static const struct backup_kind volumes = {
	.missing = "Storage volume backup not found",
	.action = "storage-volume-backup",
	.owners = "storage_volumes",
	.backups = "storage_volume_backups",
};

/* ---- the owners ---- */

void backups_done(struct backups *backups)
{
	vec_for_each(backup, &backups->list)
		backup_record_free(*backup);
	free(backups->list.items);
	*backups = (struct backups){ 0 };
}

struct backup_owner backup_owner_inst(struct inst *inst)
{
	return (struct backup_owner){
		.kind = &insts, .core = inst->core, .backups = &inst->backups, .inst = inst
	};
}

struct backup_owner backup_owner_volume(struct volume *volume)
{
	return (struct backup_owner){
		.kind = &volumes,
		.core = volume->core,
		.backups = &volume->backups,
		.volume = volume,
	};
}

/* "web1", or "pool/volume"; owned. */
static char *path_of(const struct backup_owner *owner)
{
	const struct volume_record *record = owner->inst ? NULL : owner->volume->record;

	return record ? xasprintf("%s/%s", record->pool, record->name)
		      : xstrdup(owner->inst->record->name);
}

void backup_publish(const struct backup_owner *owner, const char *verb, const char *name)
{
	_cleanup_(freep) char *action = xasprintf("%s-%s", owner->kind->action, verb);
	_cleanup_(freep) char *path = path_of(owner);
	_cleanup_(freep) char *both = xasprintf("%s/%s", path, name);

	events_publish_lifecycle(&owner->core->events, action, owner->kind->backups, both);
}

/* One client looks for the last part of the URL, another for what follows "/1.0/backups/". */
void backup_add_resources(const struct backup_owner *owner, const char *name, struct op *op)
{
	_cleanup_(freep) char *path = path_of(owner);

	op_add_resource(op, owner->kind->owners, path);
	op_add_resource(op, "backups", name);
}

/* ---- loading ---- */

/* NULL: the references in the database forbid it. */
static struct backups *find_backups(struct core *core, const struct backup_record *record)
{
	strmap_for_each(entry, &core->instances)
	{
		struct inst *inst = entry->value;

		if (inst->record->id == record->instance_id)
			return &inst->backups;
	}
	strmap_for_each(entry, &core->volumes)
	{
		struct volume *volume = entry->value;

		if (volume->record->id == record->volume_id)
			return &volume->backups;
	}
	return NULL;
}

static void take_backup(void *data, struct backup_record *record)
{
	struct backups *backups = find_backups(data, record);

	if (backups)
		*vec_push(&backups->list) = record;
	else
		backup_record_free(record);
}

int backups_load(struct core *core, struct err *err)
{
	return db_backups_load(core->db, take_backup, core, err);
}

/* ---- the list ---- */

static int find(const struct backup_owner *owner, const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < owner->backups->list.len; i++) {
		if (!streq(owner->backups->list.items[i]->name, name))
			continue;
		*ret_index = i;
		return 0;
	}
	return -ENOENT;
}

static int check_name(const struct backup_owner *owner, const char *name, struct err *err)
{
	size_t index;
	int r = name_validate(NAME_BACKUP, name, err);

	if (r == 0 && find(owner, name, &index) == 0)
		r = err_kind(err, ERR_CONFLICT, "Backup \"%s\" already exists", name);
	return r;
}

static int need(const struct backup_owner *owner, const char *name, size_t *ret_index,
		struct err *err)
{
	_cleanup_(freep) char *path = path_of(owner);
	int r = name_validate(NAME_BACKUP, name, err);

	if (r < 0)
		return r;
	backups_expire(owner);
	if (find(owner, name, ret_index) < 0)
		return err_kind(err, ERR_NOT_FOUND, "%s: \"%s/%s\"", owner->kind->missing, path,
				name);
	return 0;
}

int backup_find(const struct backup_owner *owner, const char *name,
		struct backup_record **ret_backup, struct err *err)
{
	size_t index;
	int r = need(owner, name, &index, err);

	if (r == 0)
		*ret_backup = owner->backups->list.items[index];
	return r;
}

static int drop(const struct backup_owner *owner, size_t index, struct err *err)
{
	struct backup_record **place = &owner->backups->list.items[index];
	_cleanup_(backup_record_freep) struct backup_record *record = NULL;
	int r = db_backup_delete(owner->core->db, (*place)->id, err);

	if (r < 0)
		return r;
	record = *place;
	owner->backups->list.len--;
	memmove(place, place + 1, (owner->backups->list.len - index) * sizeof(*place));
	backup_publish(owner, "deleted", record->name);
	return 0;
}

bool backup_has_expired(const struct core *core, const struct backup_record *backup)
{
	return backup->expires_wall_ns > 0 && backup->expires_wall_ns <= aio_wall_now(core->loop);
}

void backups_expire(const struct backup_owner *owner)
{
	_cleanup_(freep) char *path = path_of(owner);
	struct err err = { 0 };

	for (size_t i = owner->backups->list.len; i-- > 0;)
		if (backup_has_expired(owner->core, owner->backups->list.items[i]) &&
		    drop(owner, i, &err) < 0)
			log_error(((struct log_keys){ .inst = path }),
				  "delete an expired backup: %s", err.msg);
}

/* ---- changes ---- */

/* "backup<N>" behind the largest number that is there. New string. */
static char *choose_name(const struct backups *backups)
{
	uint64_t next = 0;

	vec_for_each(backup, &backups->list) {
		const char *digits = str_after((*backup)->name, NAME_PREFIX);
		uint64_t number;

		if (digits && parse_u64(digits, UINT32_MAX, &number) == 0 && number >= next)
			next = number + 1;
	}
	return xasprintf(NAME_PREFIX "%llu", (unsigned long long)next);
}

static int check_new(const struct backup_owner *owner, const struct backup_record *record,
		     struct err *err)
{
	_cleanup_(freep) char *path = path_of(owner);
	int r = core_check_open(owner->core, err);

	if (r == 0)
		r = check_name(owner, record->name, err);
	if (r == 0)
		r = job_check_compression(record->compression, err);
	if (r < 0)
		return r;
	if (backup_has_expired(owner->core, record))
		return err_kind(err, ERR_INVALID, "expires_at: that time is over");
	if (owner->backups->list.len >= BACKUPS_MAX)
		return err_kind(err, ERR_UNAVAILABLE, "\"%s\" has %d backups: delete some first",
				path, BACKUPS_MAX);
	return 0;
}

int backup_create(const struct backup_owner *owner, const struct backup_record *given,
		  const struct backup_record **ret_backup, struct err *err)
{
	_cleanup_(backup_record_freep) struct backup_record *record = backup_record_copy(given);
	int r;

	backups_expire(owner);
	if (str_empty(record->name)) {
		free(record->name);
		record->name = choose_name(owner->backups);
	}
	if (owner->inst)
		record->instance_id = owner->inst->record->id;
	else
		record->volume_id = owner->volume->record->id;
	record->created_wall_ns = aio_wall_now(owner->core->loop);
	r = check_new(owner, record, err);
	if (r == 0)
		r = db_backup_insert(owner->core->db, record, err);
	if (r < 0)
		return r;
	backup_publish(owner, "created", record->name);
	*ret_backup = record;
	*vec_push(&owner->backups->list) = TAKE_PTR(record);
	return 0;
}

int backup_rename(const struct backup_owner *owner, const char *name, const char *new_name,
		  struct err *err)
{
	struct backup_record *record = NULL;
	int r = core_check_open(owner->core, err);

	if (r == 0)
		r = backup_find(owner, name, &record, err);
	if (r == 0)
		r = check_name(owner, new_name, err);
	if (r == 0)
		r = db_backup_rename(owner->core->db, record->id, new_name, err);
	if (r < 0)
		return r;
	replace_str(&record->name, new_name);
	backup_publish(owner, "renamed", new_name);
	return 0;
}

int backup_delete(const struct backup_owner *owner, const char *name, struct err *err)
{
	size_t index;
	int r = need(owner, name, &index, err);

	return r < 0 ? r : drop(owner, index, err);
}

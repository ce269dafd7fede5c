/* core/inst_backup.c - see inst_backup.h */
#include "core/inst_backup.h"

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
#include "db/backups.h"
#include "spec/job.h"
#include "spec/names.h"

#define NAME_PREFIX "backup"

static void take_backup(void *data, struct backup_record *record)
{
	struct core *core = data;

	strmap_for_each(entry, &core->instances)
	{
		struct inst *inst = entry->value;

		if (inst->record->id != record->instance_id)
			continue;
		*vec_push(&inst->backups) = record;
		return;
	}
	backup_record_free(record); /* the reference in the database forbids it */
}

int backups_load(struct core *core, struct err *err)
{
	return db_backups_load(core->db, take_backup, core, err);
}

void backup_publish(const struct inst *inst, const char *verb, const char *name)
{
	_cleanup_(freep) char *action = xasprintf("instance-backup-%s", verb);
	_cleanup_(freep) char *both = xasprintf("%s/%s", inst->record->name, name);

	events_publish_lifecycle(&inst->core->events, action, "instances_backups", both);
}

/* ---- the list ---- */

static int find(const struct inst *inst, const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < inst->backups.len; i++) {
		if (!streq(inst->backups.items[i]->name, name))
			continue;
		*ret_index = i;
		return 0;
	}
	return -ENOENT;
}

static int need(struct inst *inst, const char *name, size_t *ret_index, struct err *err)
{
	int r = name_validate(NAME_BACKUP, name, err);

	if (r < 0)
		return r;
	backups_expire(inst);
	if (find(inst, name, ret_index) < 0)
		return err_kind(err, ERR_NOT_FOUND, "Instance backup not found: \"%s/%s\"",
				inst->record->name, name);
	return 0;
}

int backup_find(struct inst *inst, const char *name, struct backup_record **ret_backup,
		struct err *err)
{
	size_t index;
	int r = need(inst, name, &index, err);

	if (r == 0)
		*ret_backup = inst->backups.items[index];
	return r;
}

static int drop(struct inst *inst, size_t index, struct err *err)
{
	_cleanup_(backup_record_freep) struct backup_record *record = NULL;
	int r = db_backup_delete(inst->core->db, inst->backups.items[index], err);

	if (r < 0)
		return r;
	record = inst->backups.items[index];
	inst->backups.len--;
	memmove(&inst->backups.items[index], &inst->backups.items[index + 1],
		(inst->backups.len - index) * sizeof(struct backup_record *));
	backup_publish(inst, "deleted", record->name);
	return 0;
}

bool backup_has_expired(const struct core *core, const struct backup_record *backup)
{
	return backup->expires_wall_ns > 0 && backup->expires_wall_ns <= aio_wall_now(core->loop);
}

void backups_expire(struct inst *inst)
{
	struct err err = { 0 };

	for (size_t i = inst->backups.len; i-- > 0;)
		if (backup_has_expired(inst->core, inst->backups.items[i]) &&
		    drop(inst, i, &err) < 0)
			log_error(((struct log_keys){ .inst = inst->record->name }),
				  "delete an expired backup: %s", err.msg);
}

/* ---- changes ---- */

/* "backup<N>" behind the largest number that is there. New string. */
static char *choose_name(const struct inst *inst)
{
	uint64_t next = 0;

	vec_for_each(backup, &inst->backups) {
		const char *digits = str_after((*backup)->name, NAME_PREFIX);
		uint64_t number;

		if (digits && parse_u64(digits, UINT32_MAX, &number) == 0 && number >= next)
			next = number + 1;
	}
	return xasprintf(NAME_PREFIX "%llu", (unsigned long long)next);
}

static int check_new(const struct inst *inst, const struct backup_record *record, struct err *err)
{
	size_t index;
	int r = core_check_open(inst->core, err);

	if (r == 0)
		r = name_validate(NAME_BACKUP, record->name, err);
	if (r == 0)
		r = job_check_compression(record->compression, err);
	if (r < 0)
		return r;
	if (find(inst, record->name, &index) == 0)
		return err_kind(err, ERR_CONFLICT, "Backup \"%s\" already exists", record->name);
	if (record->expires_wall_ns > 0 && record->expires_wall_ns <= record->created_wall_ns)
		return err_kind(err, ERR_INVALID, "expires_at: that time is over");
	if (inst->backups.len >= BACKUPS_MAX)
		return err_kind(err, ERR_UNAVAILABLE,
				"instance \"%s\" has %d backups: delete some first",
				inst->record->name, BACKUPS_MAX);
	return 0;
}

int backup_create(struct inst *inst, const struct backup_record *given,
		  const struct backup_record **ret_backup, struct err *err)
{
	_cleanup_(backup_record_freep) struct backup_record *record = backup_record_copy(given);
	int r;

	backups_expire(inst);
	if (str_empty(record->name)) {
		free(record->name);
		record->name = choose_name(inst);
	}
	record->instance_id = inst->record->id;
	record->created_wall_ns = aio_wall_now(inst->core->loop);
	r = check_new(inst, record, err);
	if (r == 0)
		r = db_backup_insert(inst->core->db, record, err);
	if (r < 0)
		return r;
	backup_publish(inst, "created", record->name);
	*ret_backup = record;
	*vec_push(&inst->backups) = TAKE_PTR(record);
	return 0;
}

int backup_rename(struct inst *inst, const char *name, const char *new_name, struct err *err)
{
	size_t index, other;
	int r = need(inst, name, &index, err);

	if (r == 0)
		r = name_validate(NAME_BACKUP, new_name, err);
	if (r < 0)
		return r;
	if (find(inst, new_name, &other) == 0)
		return err_kind(err, ERR_CONFLICT, "Backup \"%s\" already exists", new_name);
	r = db_backup_rename(inst->core->db, inst->backups.items[index], new_name, err);
	if (r < 0)
		return r;
	replace_str(&inst->backups.items[index]->name, new_name);
	backup_publish(inst, "renamed", new_name);
	return 0;
}

int backup_delete(struct inst *inst, const char *name, struct err *err)
{
	size_t index;
	int r = need(inst, name, &index, err);

	return r < 0 ? r : drop(inst, index, err);
}

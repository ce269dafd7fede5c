/* core/volume_backup.c - what clients ask to have packed of custom volumes: see volume_backup.h */
#include "core/volume_backup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aio/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst_backup.h"
#include "core/volume.h"
#include "spec/job.h"
#include "spec/names.h"

static void drop(struct volume *volume, size_t index)
{
	backup_record_free(volume->backups.items[index]);
	volume->backups.len--;
	memmove(&volume->backups.items[index], &volume->backups.items[index + 1],
		(volume->backups.len - index) * sizeof(struct backup_record *));
}

void volume_backups_expire(struct volume *volume)
{
	for (size_t i = volume->backups.len; i-- > 0;)
		if (backup_has_expired(volume->core, volume->backups.items[i]))
			drop(volume, i);
}

/* Returns: its index, or -1. */
static ssize_t find(const struct volume *volume, const char *name)
{
	for (size_t i = 0; i < volume->backups.len; i++)
		if (streq(volume->backups.items[i]->name, name))
			return (ssize_t)i;
	return -1;
}

static ssize_t need(struct volume *volume, const char *name, struct err *err)
{
	ssize_t i;

	volume_backups_expire(volume);
	i = find(volume, name);
	return i >= 0 ? i
		      : err_kind(err, ERR_NOT_FOUND, "Storage volume backup not found: \"%s/%s\"",
				 volume->record->name, name);
}

int volume_backup_find(struct volume *volume, const char *name, struct backup_record **ret_backup,
		       struct err *err)
{
	ssize_t i = need(volume, name, err);

	if (i < 0)
		return (int)i;
	*ret_backup = volume->backups.items[i];
	return 0;
}

static char *choose_name(const struct volume *volume)
{
	for (unsigned int i = 0;; i++) {
		_cleanup_(freep) char *name = xasprintf("backup%u", i);

		if (find(volume, name) < 0)
			return TAKE_PTR(name);
	}
}

static int check_new(const struct volume *volume, const struct backup_record *record,
		     struct err *err)
{
	int r = core_check_open(volume->core, err);

	if (r == 0)
		r = name_validate(NAME_BACKUP, record->name, err);
	if (r == 0)
		r = job_check_compression(record->compression, err);
	if (r < 0)
		return r;
	if (find(volume, record->name) >= 0)
		return err_kind(err, ERR_CONFLICT, "Backup \"%s\" already exists", record->name);
	if (backup_has_expired(volume->core, record))
		return err_kind(err, ERR_INVALID, "expires_at: that time is over");
	if (volume->backups.len >= BACKUPS_MAX)
		return err_kind(err, ERR_UNAVAILABLE,
				"storage volume \"%s\" has %d backups: delete some first",
				volume->record->name, BACKUPS_MAX);
	return 0;
}

int volume_backup_create(struct volume *volume, const struct backup_record *given,
			 const struct backup_record **ret_backup, struct err *err)
{
	_cleanup_(backup_record_freep) struct backup_record *record = backup_record_copy(given);
	int r;

	volume_backups_expire(volume);
	if (str_empty(record->name)) {
		free(record->name);
		record->name = choose_name(volume);
	}
	record->created_wall_ns = aio_wall_now(volume->core->loop);
	r = check_new(volume, record, err);
	if (r < 0)
		return r;
	*ret_backup = record;
	*vec_push(&volume->backups) = TAKE_PTR(record);
	return 0;
}

int volume_backup_delete(struct volume *volume, const char *name, struct err *err)
{
	ssize_t i = need(volume, name, err);

	if (i < 0)
		return (int)i;
	drop(volume, (size_t)i);
	return 0;
}

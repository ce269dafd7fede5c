/*
 * core/recover_volume.c - custom volumes of a pool: see recover.h
 *
 * As of an instance, a row is all that is missing. In a trial the volume is in core->volumes until all
 * has been looked at, so that instances which have it as a disk find it.
 */
#include <errno.h>
#include <stdlib.h>

#include "aio/loop.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/core.h"
#include "core/recover.h"
#include "core/recover_priv.h"
#include "core/snapshot.h"
#include "core/volume.h"
#include "db/db.h"
#include "db/volumes.h"
#include "spec/journal.h"
#include "spec/names.h"

static char *key_of(const struct candidate *c)
{
	return xasprintf("%s/%s", c->recover->pool.pool, c->item->index.instance.name);
}

/* Directories and times are those that are there. */
static void take_old(struct candidate *c, struct volume *volume)
{
	const struct backup_item *from = &c->item->index.instance;
	size_t kept = 0;

	replace_str(&volume->record->volume, c->item->name);
	if (from->created_wall_ns > 0)
		volume->record->created_wall_ns = from->created_wall_ns;
	vec_for_each(snap, &volume->snapshots) {
		const char *uuid = recover_snapshot_volume(c, (*snap)->name);

		if (uuid) {
			replace_str(&(*snap)->volume, uuid);
			volume->snapshots.items[kept++] = *snap;
		} else {
			volume_snap_free(*snap);
		}
	}
	volume->snapshots.len = kept;
}

static int make_volume(struct candidate *c, struct volume **ret_volume, struct err *err)
{
	_cleanup_(volume_record_freep) struct volume_record *as =
		volume_record_new(c->recover->pool.pool, c->item->index.instance.name);
	int r = volume_from_index(c->core, as, &c->item->index, ret_volume, &c->notes, err);

	if (r == 0)
		take_old(c, *ret_volume);
	return r;
}

static int insert_rows(struct volume *volume, struct journal_record **ret_row, struct err *err)
{
	struct db *db = volume->core->db;
	int r = db_volume_insert(db, volume->record, err);

	vec_for_each(snap, &volume->snapshots) {
		(*snap)->volume_id = volume->record->id;
		if (r == 0)
			r = db_volume_snap_insert(db, *snap, err);
	}
	/* a file system that comes from elsewhere may hold it to nothing */
	if (r == 0 && volume_size(volume->record) > 0)
		r = volume_journal_size(volume, ret_row, err);
	return r;
}

static int store(struct volume *volume, struct err *err)
{
	struct core *core = volume->core;
	struct journal_record *row = NULL;
	int r = db_begin(core->db, err);

	if (r < 0)
		return r;
	r = insert_rows(volume, &row, err);
	r = db_end(core->db, r, err);
	if (r < 0) {
		journal_record_free(row);
		return r;
	}
	log_info(LOG_NONE, "storage volume %s/%s recovered", volume->record->pool,
		 volume->record->name);
	volume_publish(core, "storage-volume-created", volume->record, NULL);
	if (row)
		volume_clean_up(core, row);
	return 0;
}

static const char *take_in(struct candidate *c)
{
	_cleanup_(freep) char *key = key_of(c);
	struct volume *volume = NULL;
	struct err err = { 0 };
	int r = make_volume(c, &volume, &err);

	if (r == 0) {
		volume->stored = true;
		strmap_set_take(&c->core->volumes, key, volume);
		if (c->recover->apply)
			r = store(volume, &err);
		else
			strv_push(&c->recover->tried, key);
	}
	if (r < 0) {
		(void)strmap_unset(&c->core->volumes, key);
		strv_push(&c->notes, err.msg);
		return RECOVER_REFUSED;
	}
	return c->recover->apply ? RECOVER_DONE : RECOVER_CAN;
}

static const char *broken(struct candidate *c, const char *why)
{
	strv_push(&c->notes, why);
	return RECOVER_BROKEN;
}

const char *recover_volume(struct candidate *c)
{
	const char *name = c->item->index.instance.name;
	_cleanup_(freep) char *key = key_of(c);
	struct err err = { 0 };

	if (!uuid_is_valid(c->item->name))
		return broken(c, "its file has no uuid for a name");
	if (volume_has_row(c->core, c->item->name))
		return NULL;
	if (c->item->problem)
		return broken(c, c->item->problem);
	if (name_validate(NAME_VOLUME, name, &err) < 0)
		return broken(c, err.msg);
	if (strmap_has(&c->core->volumes, key)) {
		strv_push(&c->notes, "another volume of the pool has its name");
		return RECOVER_TAKEN;
	}
	if (!c->item->is_there) {
		strv_push_take(&c->notes,
			       xasprintf("its directory is not there: custom/%s", c->item->name));
		return RECOVER_LOST;
	}
	return take_in(c);
}

void recover_forget_trial(struct core *core, struct recover *recover)
{
	for (char **key = recover->tried; key && *key; key++)
		(void)strmap_unset(&core->volumes, *key);
	strv_free(recover->tried);
	recover->tried = NULL;
}

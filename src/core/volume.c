/* core/volume.c - see volume.h: the list, who uses what, edits */
#include "core/volume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/journal.h"
#include "core/pool.h"
#include "db/volumes.h"
#include "spec/device.h"
#include "spec/keys.h"
#include "spec/names.h"
#include "spec/profile.h"
#include "storage/policy.h"

/* ---- the list ---- */

void volume_free(struct volume *volume)
{
	if (!volume)
		return;
	volume_record_free(volume->record);
	vec_for_each(snap, &volume->snapshots)
		volume_snap_free(*snap);
	free(volume->snapshots.items);
	backups_done(&volume->backups);
	free(volume->schedule.text);
	free(volume);
}

static void free_value(void *value)
{
	volume_free(value);
}

void volume_map_init(struct strmap *volumes)
{
	*volumes = (struct strmap){ .free_value = free_value };
}

static void take_volume(void *data, struct volume_record *record)
{
	struct core *core = data;
	_cleanup_(freep) char *key = xasprintf("%s/%s", record->pool, record->name);
	struct volume *volume = xcalloc(1, sizeof(*volume));

	volume->core = core;
	volume->record = record;
	volume->stored = true;
	strmap_set_take(&core->volumes, key, volume);
}

static void take_snap(void *data, struct volume_snap *snap)
{
	struct core *core = data;

	strmap_for_each(entry, &core->volumes)
	{
		struct volume *volume = entry->value;

		if (volume->record->id == snap->volume_id) {
			*vec_push(&volume->snapshots) = snap;
			return;
		}
	}
	volume_snap_free(snap); /* the reference in the database forbids it */
}

int volumes_load(struct core *core, struct err *err)
{
	int r = db_volumes_load(core->db, take_volume, core, err);

	return r < 0 ? r : db_volume_snaps_load(core->db, take_snap, core, err);
}

int volume_find(struct core *core, const char *pool, const char *name, struct volume **ret_volume,
		struct err *err)
{
	_cleanup_(freep) char *key = xasprintf("%s/%s", pool, name);
	struct pool_record *record = NULL;
	struct volume *volume;
	int r = pool_find(core, pool, &record, err);

	if (r == 0)
		r = name_validate(NAME_VOLUME, name, err);
	if (r < 0)
		return r;
	volume = strmap_get(&core->volumes, key);
	if (!volume || !volume->stored)
		return err_kind(err, ERR_NOT_FOUND,
				"Storage volume not found: \"%s\" in pool \"%s\"", name, pool);
	*ret_volume = volume;
	return 0;
}

int volume_find_snap(const struct volume *volume, const char *name, struct volume_snap **ret_snap,
		     struct err *err)
{
	int r = name_validate(NAME_SNAPSHOT, name, err);

	if (r < 0)
		return r;
	vec_for_each(snap, &volume->snapshots) {
		if (streq((*snap)->name, name)) {
			*ret_snap = *snap;
			return 0;
		}
	}
	return err_kind(err, ERR_NOT_FOUND, "Storage volume snapshot not found: \"%s/%s\"",
			volume->record->name, name);
}

bool volume_any_in(struct core *core, const char *pool)
{
	strmap_for_each(entry, &core->volumes)
	{
		const struct volume *volume = entry->value;

		if (streq(volume->record->pool, pool))
			return true;
	}
	return false;
}

/* ---- who works on it ---- */

/* NULL: none, or it has ended. */
static const struct op *find_active(const struct volume *volume, const char *id)
{
	const struct op *op = op_find(volume->core, id);

	return op && !op_is_final(op) ? op : NULL;
}

int volume_check_free(const struct volume *volume, struct err *err)
{
	const struct op *op = find_active(volume, volume->op_id);

	return op ? err_kind(err, ERR_CONFLICT,
			     "storage volume \"%s\" is busy: operation %s (%s) has it",
			     volume->record->name, op->id, op->description)
		  : 0;
}

bool volume_is_read(const struct volume *volume)
{
	return find_active(volume, volume->reader_id);
}

int volume_check_unread(const struct volume *volume, struct err *err)
{
	const struct op *op = find_active(volume, volume->reader_id);
	int r = volume_check_free(volume, err);

	if (r < 0 || !op)
		return r;
	return err_kind(err, ERR_CONFLICT,
			"storage volume \"%s\" is being read: operation %s (%s) needs its "
			"snapshots until it is done; wait for it or cancel it",
			volume->record->name, op->id, op->description);
}

void volume_read_on(struct volume *volume, const struct op *op)
{
	memcpy(volume->reader_id, op->id, UUID_LEN);
	volume->op_id[0] = '\0';
}

int volume_claim(struct volume *volume, const struct op *op, struct err *err)
{
	int r = volume_check_free(volume, err);

	if (r < 0)
		return r;
	memcpy(volume->op_id, op->id, UUID_LEN);
	volume->closed = false;
	return 0;
}

static char *full_name(const struct volume_record *record, const char *snap)
{
	return xasprintf("%s/%s%s%s", record->pool, record->name, snap ? "/" : "",
			 snap ? snap : "");
}

void volume_add_resource(struct op *op, const struct volume_record *record, const char *snap)
{
	_cleanup_(freep) char *name = full_name(record, NULL);
	_cleanup_(freep) char *both = full_name(record, snap);

	op_add_resource(op, "storage_volumes", name);
	if (snap)
		op_add_resource(op, "storage_volume_snapshots", both);
}

void volume_publish(struct core *core, const char *action, const struct volume_record *record,
		    const char *snap)
{
	_cleanup_(freep) char *name = full_name(record, snap);

	events_publish_lifecycle(&core->events, action,
				 snap ? "storage_volume_snapshots" : "storage_volumes", name);
}

int volume_journal(struct op *op, const char *kind, const struct volume_record *record,
		   char *const *snapshots, struct err *err)
{
	_cleanup_(freep) char *object = full_name(record, NULL);
	struct strmap data = { 0 };
	int r;

	strmap_set(&data, "pool", record->pool);
	strmap_set(&data, "volume", record->volume);
	if (snapshots && *snapshots)
		strmap_set_take(&data, "snapshots", strv_join((const char *const *)snapshots, ","));
	r = journal_write_data(op, kind, object, &data, err);
	strmap_done(&data);
	return r;
}

/* ---- who uses it ---- */

static bool names_volume(const struct strmap *device, const struct volume_record *record)
{
	return streq(device_get(device, "pool", NULL), record->pool) &&
	       streq(device_get(device, "source", NULL), record->name);
}

static bool any_names(const struct strmap *devices, const struct volume_record *record)
{
	strmap_for_each(entry, devices) if (names_volume(entry->value, record)) return true;
	return false;
}

void volume_get_users(const struct volume *volume, struct volume_users *ret_users)
{
	*ret_users = (struct volume_users){ 0 };
	strmap_for_each(entry, &volume->core->instances)
	{
		const struct inst *inst = entry->value;

		if (any_names(&inst->expanded.devices, volume->record) ||
		    any_names(&inst->record->devices, volume->record))
			strv_push(&ret_users->instances, entry->key);
	}
	strmap_for_each(entry, &volume->core->profiles)
	{
		const struct profile_record *profile = entry->value;

		if (any_names(&profile->devices, volume->record))
			strv_push(&ret_users->profiles, entry->key);
	}
}

void volume_users_done(struct volume_users *users)
{
	strv_free(users->instances);
	strv_free(users->profiles);
}

/* Something of it is mounted, or about to be. */
static bool may_run(const struct inst *inst)
{
	return inst->state != INST_STOPPED || inst->conn || inst->op;
}

bool volume_has_running_users(const struct volume *volume)
{
	struct volume_users users;
	bool runs = false;

	volume_get_users(volume, &users);
	for (char **name = users.instances; name && *name && !runs; name++)
		runs = may_run(strmap_get(&volume->core->instances, *name));
	volume_users_done(&users);
	return runs;
}

int volume_check_unused(const struct volume *volume, struct err *err)
{
	_cleanup_(volume_users_done) struct volume_users users = { 0 };
	_cleanup_(freep) char *instances = NULL;
	_cleanup_(freep) char *profiles = NULL;

	volume_get_users(volume, &users);
	if (!users.instances && !users.profiles)
		return 0;
	if (users.instances)
		instances = strv_join((const char *const *)users.instances, ", ");
	if (users.profiles)
		profiles = strv_join((const char *const *)users.profiles, ", ");
	return err_kind(err, ERR_CONFLICT,
			"The storage volume is still in use: it is a device of %s%s%s%s%s",
			instances ? "instance " : "", instances ? instances : "",
			instances && profiles ? " and " : "", profiles ? "profile " : "",
			profiles ? profiles : "");
}

/* ---- as a device ---- */

int volume_check_device(struct core *core, const struct strmap *device, struct err *err)
{
	const char *pool = device_get(device, "pool", "");
	struct volume *volume;

	if (str_empty(pool) || device_is_root(device))
		return 0;
	return volume_find(core, pool, device_get(device, "source", ""), &volume, err);
}

int volume_fill_source(struct core *core, const struct strmap *device, char **ret_source,
		       struct err *err)
{
	const char *name = device_get(device, "pool", "");
	_cleanup_(freep) char *dir = NULL;
	_cleanup_(freep) char *real = NULL;
	struct pool_record *pool = NULL;
	struct volume *volume = NULL;
	int r = volume_find(core, name, device_get(device, "source", ""), &volume, err);

	if (r == 0)
		r = pool_find(core, name, &pool, err);
	if (r < 0)
		return r;
	/* before that, pools are not prepared yet, and what asks has it mounted already */
	r = core->ready ? pool_check_available(core, pool, err) : 0;
	if (r < 0)
		return r;
	if (volume->closed && volume_check_free(volume, err) < 0)
		return -EBUSY;
	dir = pool_dir(core, pool);
	/* whoever chose the pool's directory may have named a link; nobody else can */
	real = realpath(dir, NULL);
	if (!real)
		return err_set(err, -errno, "storage pool \"%s\": \"%s\"", name, dir);
	*ret_source = storage_custom_root(real, volume->record->volume);
	return 0;
}

/* ---- edits ---- */

uint64_t volume_size(const struct volume_record *record)
{
	uint64_t bytes = 0;

	(void)parse_bytes(strmap_get(&record->config, "size") ?: "0", &bytes); /* was checked */
	return bytes;
}

int volume_check_size(struct core *core, const struct volume_record *record, struct err *err)
{
	struct pool_record *pool = NULL;
	int r = volume_size(record) > 0 ? pool_find(core, record->pool, &pool, err) : 0;

	return r == 0 && pool ? pool_check_quotas(pool, err) : r;
}

static int check_rename(struct volume *volume, const struct volume_record *renamed, struct err *err)
{
	_cleanup_(freep) char *key = full_name(renamed, NULL);
	int r = core_check_open(volume->core, err);

	if (r == 0)
		r = volume_check_unread(volume, err);
	if (r == 0)
		r = volume_record_validate(renamed, err);
	if (r == 0 && strmap_has(&volume->core->volumes, key))
		r = err_kind(err, ERR_CONFLICT,
			     "storage volume \"%s\" exists already in pool \"%s\"", renamed->name,
			     renamed->pool);
	return r < 0 ? r : volume_check_unused(volume, err);
}

int volume_rename(struct volume *volume, const char *name, struct err *err)
{
	_cleanup_(volume_record_freep) struct volume_record *renamed =
		volume_record_copy(volume->record);
	_cleanup_(freep) char *old = full_name(volume->record, NULL);
	_cleanup_(freep) char *new = NULL;
	struct core *core = volume->core;
	int r;

	replace_str(&renamed->name, name);
	r = check_rename(volume, renamed, err);
	if (r == 0)
		r = db_volume_update(core->db, renamed, err);
	if (r < 0)
		return r;
	new = full_name(renamed, NULL);
	(void)strmap_take(&core->volumes, old);
	volume_record_free(volume->record);
	volume->record = TAKE_PTR(renamed);
	strmap_set_take(&core->volumes, new, volume);
	volume_publish(core, "storage-volume-renamed", volume->record, NULL);
	return 0;
}

int volume_snap_edit(struct volume *volume, const char *name, const struct volume_snap *edited,
		     struct err *err)
{
	struct volume_snap *snap = NULL, *other;
	bool renames = !streq(name, edited->name);
	int r = core_check_open(volume->core, err);

	if (r == 0)
		r = volume_check_free(volume, err);
	if (r == 0)
		r = volume_find_snap(volume, name, &snap, err);
	if (r == 0 && renames)
		r = name_validate(NAME_SNAPSHOT, edited->name, err);
	if (r == 0 && renames && volume_find_snap(volume, edited->name, &other, NULL) == 0)
		r = err_kind(err, ERR_CONFLICT, "snapshot \"%s\" exists already", edited->name);
	if (r == 0)
		r = db_volume_snap_update(volume->core->db, edited, err);
	if (r < 0)
		return r;
	replace_str(&snap->name, edited->name);
	replace_str(&snap->description, edited->description);
	snap->expires_wall_ns = edited->expires_wall_ns;
	volume_publish(volume->core,
		       renames ? "storage-volume-snapshot-renamed"
			       : "storage-volume-snapshot-updated",
		       volume->record, snap->name);
	return 0;
}

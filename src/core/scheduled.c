/* core/scheduled.c - see scheduled.h */
#include "core/scheduled.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/backup.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/snapshot.h"
#include "core/volume.h"
#include "db/snapshots.h"
#include "spec/keys.h"

static const struct snapshot_request by_the_clock = { .name = "", .scheduled = true };

/* ---- instances ---- */

static const struct strmap *all_insts(const struct core *core)
{
	return &core->instances;
}

static int find_inst(struct core *core, const char *key, void **ret_object, struct err *err)
{
	struct inst *inst = NULL;
	int r = inst_find(core, key, &inst, err);

	if (r == 0)
		*ret_object = inst;
	return r;
}

static void view_inst(void *object, struct scheduled *ret_scheduled)
{
	struct inst *inst = object;

	ret_scheduled->id = inst->record->id;
	ret_scheduled->config = &inst->expanded.config;
	ret_scheduled->state = &inst->schedule;
}

static char *inst_entity(const char *key)
{
	return xasprintf("instances/%s", key);
}

static bool inst_is_there(const void *object)
{
	return ((const struct inst *)object)->stored;
}

static bool inst_is_busy(const void *object)
{
	const struct inst *inst = object;

	return inst->op || inst->state == INST_STARTING;
}

static bool inst_is_skipped(const void *object)
{
	const struct inst *inst = object;

	return !inst_is_running(inst) &&
	       !keys_get_bool(&inst->expanded.config, "snapshots.schedule.stopped", false);
}

static void add_inst_snaps(const void *object, struct scheduled_snaps *snaps)
{
	const struct inst *inst = object;

	if (!list_empty(&inst->readers))
		return; /* they go once they have been read */
	vec_for_each(snap, &inst->snapshots)
		*vec_push(&snaps->list) =
			(struct scheduled_snap){ (*snap)->name, (*snap)->created_wall_ns,
						 (*snap)->expires_wall_ns, (*snap)->scheduled };
}

static int create_inst_snap(void *object, struct op **ret_op, struct err *err)
{
	return snapshot_create(object, &by_the_clock, ret_op, err);
}

static int prune_inst(void *object, char *const *names, struct op **ret_op, struct err *err)
{
	return snapshots_delete(object, names, ret_op, err);
}

static void tidy_inst(void *object)
{
	const struct backup_owner owner = backup_owner_inst(object);

	backups_expire(&owner);
}

static const struct scheduled_kind insts = {
	.word = "instance",
	.runs = &db_instance_runs,
	.all = all_insts,
	.find = find_inst,
	.view = view_inst,
	.entity = inst_entity,
	.is_there = inst_is_there,
	.is_busy = inst_is_busy,
	.is_skipped = inst_is_skipped,
	.add_snaps = add_inst_snaps,
	.create = create_inst_snap,
	.prune = prune_inst,
	.tidy = tidy_inst,
};

/* ---- custom volumes ---- */

static const struct strmap *all_volumes(const struct core *core)
{
	return &core->volumes;
}

static int find_volume(struct core *core, const char *key, void **ret_object, struct err *err)
{
	const char *slash = strchr(key, '/');
	_cleanup_(freep) char *pool = slash ? xstrndup(key, (size_t)(slash - key)) : NULL;
	struct volume *volume = NULL;
	int r = slash ? volume_find(core, pool, slash + 1, &volume, err)
		      : err_kind(err, ERR_INVALID, "\"%s\" is no POOL/VOLUME", key);

	if (r == 0)
		*ret_object = volume;
	return r;
}

static void view_volume(void *object, struct scheduled *ret_scheduled)
{
	struct volume *volume = object;

	ret_scheduled->id = volume->record->id;
	ret_scheduled->config = &volume->record->config;
	ret_scheduled->state = &volume->schedule;
}

static char *volume_entity(const char *key)
{
	_cleanup_(strv_freep) char **parts = strv_split(key, "/");

	return xasprintf("storage-pools/%s/volumes/custom/%s", parts[0], parts[1]);
}

static bool volume_is_there(const void *object)
{
	return ((const struct volume *)object)->stored;
}

static bool volume_is_busy(const void *object)
{
	return volume_check_free(object, NULL) < 0;
}

/* It does not run, so it is never stopped. */
static bool volume_is_skipped(const void *object)
{
	(void)object;
	return false;
}

static void add_volume_snaps(const void *object, struct scheduled_snaps *snaps)
{
	const struct volume *volume = object;

	if (volume_is_read(volume))
		return;
	vec_for_each(snap, &volume->snapshots)
		*vec_push(&snaps->list) =
			(struct scheduled_snap){ (*snap)->name, (*snap)->created_wall_ns,
						 (*snap)->expires_wall_ns, (*snap)->scheduled };
}

static int create_volume_snap(void *object, struct op **ret_op, struct err *err)
{
	return volume_snap_create(object, &by_the_clock, NULL, ret_op, err);
}

static int prune_volume(void *object, char *const *names, struct op **ret_op, struct err *err)
{
	return volume_snaps_delete(object, names, ret_op, err);
}

static void tidy_volume(void *object)
{
	const struct backup_owner owner = backup_owner_volume(object);

	backups_expire(&owner);
}

static const struct scheduled_kind volumes = {
	.word = "volume",
	.many_without = true,
	.runs = &db_volume_runs,
	.all = all_volumes,
	.find = find_volume,
	.view = view_volume,
	.entity = volume_entity,
	.is_there = volume_is_there,
	.is_busy = volume_is_busy,
	.is_skipped = volume_is_skipped,
	.add_snaps = add_volume_snaps,
	.create = create_volume_snap,
	.prune = prune_volume,
	.tidy = tidy_volume,
};

const struct scheduled_kind *const scheduled_kinds[] = { &insts, &volumes, NULL };

struct scheduled scheduled_of(const struct scheduled_kind *kind, struct core *core, const char *key,
			      void *object)
{
	struct scheduled scheduled = { .kind = kind, .core = core, .object = object, .key = key };

	kind->view(object, &scheduled);
	return scheduled;
}

struct scheduled scheduled_inst(struct inst *inst)
{
	return scheduled_of(&insts, inst->core, inst->record->name, inst);
}

bool scheduled_is_skipped(const struct scheduled *scheduled)
{
	return scheduled->kind->is_skipped(scheduled->object);
}

/*
 * core/recover.c - see recover.h; a pool that is there, and the instances in it
 *
 *   [prepare ->] read
 *
 * An instance is recovered by its row alone.
 */
#include "core/recover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/core.h"
#include "core/image.h"
#include "core/import.h"
#include "core/inst.h"
#include "core/inst_create.h"
#include "core/inst_ids.h"
#include "core/inst_ops.h"
#include "core/job.h"
#include "core/pool.h"
#include "core/privileged.h"
#include "core/profile.h"
#include "core/recover_priv.h"
#include "core/snapshot.h"
#include "core/volume.h"
#include "os/fd.h"
#include "spec/device.h"
#include "spec/names.h"
#include "spec/recovery.h"

/* ---- profiles ---- */

static const struct backup_item *recorded_profile(const struct candidate *c, const char *name)
{
	vec_for_each(profile, &c->item->index.profiles)
		if (streq(profile->name, name))
			return profile;
	return NULL;
}

static int make_profile(struct candidate *c, const struct backup_item *from, struct err *err)
{
	struct profile_record *record = profile_record_new(from->name);
	int r;

	replace_str(&record->description, from->description);
	strmap_merge(&record->config, &from->config);
	vec_for_each(device, &from->devices)
		strmap_merge(devices_add(&record->devices, device->name ? device->name : ""),
			     &device->options);
	r = profile_create(c->core, record, err);
	profile_record_free(record);
	return r;
}

/* The one that is there stays, as other instances know it. */
static void compare_profile(struct candidate *c, const struct backup_item *from,
			    const struct profile_record *there)
{
	struct strmap devices = { 0 };

	devices_init(&devices);
	vec_for_each(device, &from->devices)
		strmap_merge(devices_add(&devices, device->name ? device->name : ""),
			     &device->options);
	if (!strmap_equal(&from->config, &there->config) ||
	    !devices_equal(&devices, &there->devices))
		strv_push_take(&c->notes,
			       xasprintf("profile %s is another one than it was", from->name));
	strmap_done(&devices);
}

/* A profile that is lost as well comes from the side file, when it can. */
static void recover_profile(struct candidate *c, const char *name)
{
	const struct backup_item *from = recorded_profile(c, name);
	const struct profile_record *there = strmap_get(&c->core->profiles, name);
	struct err err = { 0 };

	if (there && from)
		compare_profile(c, from, there);
	if (there || !from)
		return;
	if (c->recover->apply && make_profile(c, from, &err) < 0)
		strv_push_take(&c->notes, xasprintf("profile %s: %s", name, err.msg));
	else
		strv_push_take(&c->notes, xasprintf("profile %s comes from its side file", name));
}

static void recover_profiles(struct candidate *c)
{
	char **names = c->item->index.instance.profiles;
	char **known = NULL;

	for (char **name = names; name && *name; name++) {
		recover_profile(c, *name);
		/* of those that a trial has not made nobody need say that they are missing */
		if (strmap_has(&c->core->profiles, *name) || !recorded_profile(c, *name))
			strv_push(&known, *name);
	}
	strv_free(names);
	c->item->index.instance.profiles = known;
}

/* ---- volumes ---- */

bool recover_is_missing(const struct candidate *c, const char *kind, const char *name)
{
	_cleanup_(freep) char *what = xasprintf("%s %s", kind, name);

	return strv_contains((const char *const *)c->item->missing, what);
}

static bool is_image_missing(const struct candidate *c, const char *snapshot)
{
	const char *image = strmap_get(&c->item->index.images, snapshot);
	_cleanup_(freep) char *prefix = image ? xasprintf("%.12s", image) : NULL;

	return prefix && recover_is_missing(c, "image", prefix);
}

const char *recover_snapshot_volume(struct candidate *c, const char *snapshot)
{
	const char *uuid = strmap_get(&c->item->index.volumes, snapshot);
	const char *why = NULL;

	if (recover_is_missing(c, "snapshot", snapshot) || is_image_missing(c, snapshot) ||
	    !uuid_is_valid(uuid))
		why = "is lost";
	else if (snapshot_by_volume(c->core, uuid) || volume_has_row(c->core, uuid))
		why = "says that it is where another one is: it is left out";
	if (why)
		strv_push_take(&c->notes, xasprintf("snapshot %s %s", snapshot, why));
	return why ? NULL : uuid;
}

static void drop_lost_snapshots(struct candidate *c)
{
	struct backup_index *index = &c->item->index;
	size_t kept = 0;

	for (size_t i = 0; i < index->snapshots.len; i++) {
		struct backup_item *snapshot = &index->snapshots.items[i];

		if (recover_snapshot_volume(c, snapshot->name))
			index->snapshots.items[kept++] = *snapshot;
		else
			wire_free(&backup_item_schema, snapshot);
	}
	index->snapshots.len = kept;
}

/* ---- the rows ---- */

static void copy_image(const struct candidate *c, const char *snapshot, struct inst_record *record)
{
	replace_str(&record->image_fingerprint, strmap_get(&c->item->index.images, snapshot));
}

static int make_records(struct candidate *c, struct import *import, struct err *err)
{
	int r;

	import->name = xstrdup(c->item->name);
	import->pool = xstrdup(c->recover->pool.pool);
	import->trusted = true; /* else it has been refused */
	r = import_make_records(c->core, &c->item->index, import, err);
	for (char **text = import->left_out; text && *text; text++)
		strv_push(&c->notes, *text);
	if (r < 0)
		return r;
	copy_image(c, "", import->record);
	vec_for_each(snapshot, &import->snapshots) {
		replace_str(&(*snapshot)->volume,
			    strmap_get(&c->item->index.volumes, (*snapshot)->name));
		copy_image(c, (*snapshot)->name, (*snapshot)->inst);
	}
	return 0;
}

static int note_image_volumes(struct candidate *c, struct err *err)
{
	int r = 0;

	strmap_for_each(entry, &c->item->index.images)
	{
		if (r == 0 && !is_image_missing(c, entry->key))
			r = image_volume_found(c->core, c->recover->pool.pool, entry->value, err);
	}
	return r;
}

static int add_instance(struct candidate *c, struct import *import, struct err *err)
{
	struct inst *inst = inst_add(c->core, TAKE_PTR(import->record));
	int r;

	inst_expand(inst);
	vec_for_each(snapshot, &import->snapshots)
		*vec_push(&inst->snapshots) = TAKE_PTR(*snapshot);
	import->snapshots.len = 0;
	r = inst_choose_pool(inst, err);
	if (r == 0)
		r = inst_choose_ids(inst, err);
	if (r == 0) {
		inst_note_nics(inst);
		inst_expand(inst);
		r = note_image_volumes(c, err);
	}
	if (r == 0)
		r = inst_store(inst, err);
	if (r < 0) {
		inst_remove(inst);
		return r;
	}
	log_info(((struct log_keys){ .inst = inst->record->name }), "instance recovered");
	privileged_warn(inst);
	events_publish_lifecycle(&c->core->events, "instance-created", "instances",
				 inst->record->name);
	return 0;
}

/* A profile that would come from the side file, which anybody may have written, counts too. */
static bool is_too_much(struct candidate *c)
{
	const struct backup_index *index = &c->item->index;
	const char *pool = c->recover->pool.pool;
	size_t before = strv_len(c->notes);

	if (c->recover->trusted)
		return false;
	import_tell_reach(&index->instance, pool, &c->notes);
	vec_for_each(snapshot, &index->snapshots)
		import_tell_reach(snapshot, pool, &c->notes);
	vec_for_each(profile, &index->profiles)
		if (!strmap_has(&c->core->profiles, profile->name ? profile->name : ""))
			import_tell_reach(profile, pool, &c->notes);
	return strv_len(c->notes) > before;
}

/* Returns: RECOVER_*. */
static const char *take_in(struct candidate *c)
{
	_cleanup_(import_freep) struct import *import = xcalloc(1, sizeof(*import));
	struct err err = { 0 };
	int r;

	import->upload = (struct upload){ -EBADF, -EBADF, -EBADF }; /* there is none */
	if (is_too_much(c))
		return RECOVER_REFUSED;
	recover_profiles(c);
	drop_lost_snapshots(c);
	r = make_records(c, import, &err);
	if (r == 0 && c->recover->apply)
		r = add_instance(c, import, &err);
	if (r < 0) {
		strv_push(&c->notes, err.msg);
		return RECOVER_REFUSED;
	}
	return c->recover->apply ? RECOVER_DONE : RECOVER_CAN;
}

/* A monitor is there that nobody knows any more. */
static bool is_running(const struct candidate *c)
{
	_cleanup_(freep) char *dir =
		xasprintf("%s/instances/%s", c->core->dirs.runtime, c->item->name);

	return access(dir, F_OK) == 0;
}

/* Returns: RECOVER_*; NULL: the database knows it. */
static const char *judge(struct candidate *c)
{
	const struct inst *inst = strmap_get(&c->core->instances, c->item->name);

	if (inst && streq(inst->record->pool, c->recover->pool.pool))
		return NULL;
	if (inst) {
		strv_push_take(&c->notes, xasprintf("an instance in pool %s has its name",
						    inst->record->pool));
		return RECOVER_TAKEN;
	}
	if (c->item->problem) {
		strv_push(&c->notes, c->item->problem);
		return RECOVER_BROKEN;
	}
	if (!c->item->is_there || is_image_missing(c, "")) {
		strv_push(&c->notes, c->item->is_there ? "the image that it stands on is not there"
						       : "its root file system is not there");
		return RECOVER_LOST;
	}
	if (is_running(c)) {
		strv_push(&c->notes, "it is running: power it off from inside, or kill its init");
		return RECOVER_REFUSED;
	}
	return take_in(c);
}

/* ---- all of a pool ---- */

/* Of a volume what its file says, unless that is no name, or another one has it: new string. */
static char *shown_name(const struct op *op, const char *kind, const struct recovery_item *item)
{
	const char *name = item->index.instance.name;
	bool named =
		*kind && uuid_is_valid(item->name) && name_validate(NAME_VOLUME, name, NULL) == 0;
	_cleanup_(freep) char *key = xasprintf("%s%s", kind, named ? name : item->name);

	if (named && strmap_has(&op->metadata, key))
		return xasprintf("%s (%s)", key, item->name);
	return str_printable(key, false);
}

static void report(struct op *op, const char *kind, struct recovery_item *item,
		   const char *(*judge_one)(struct candidate *c))
{
	_cleanup_(freep) char *shown = shown_name(op, kind, item);
	struct candidate c = { .core = op->core, .recover = op->args, .item = item };
	const char *word = judge_one(&c);

	if (word) {
		_cleanup_(freep) char *notes = strv_join((const char *const *)c.notes, "\n");

		strmap_set_take(&op->metadata, shown,
				xasprintf("%s%s%s", word, str_empty(notes) ? "" : "\n",
					  notes ? notes : ""));
	}
	strv_free(c.notes);
}

/* Disks of a pool that has got another name. */
static void follow_name(struct backup_item *item, const char *old, const char *new)
{
	vec_for_each(device, &item->devices)
		if (streq(strmap_get(&device->options, "pool"), old))
			strmap_set(&device->options, "pool", new);
}

static void follow_pool(struct recovery *found, const char *new)
{
	const char *old = found->pool.name;

	if (!old || streq(old, new))
		return;
	vec_for_each(item, &found->items) {
		follow_name(&item->index.instance, old, new);
		vec_for_each(snapshot, &item->index.snapshots)
			follow_name(snapshot, old, new);
		vec_for_each(profile, &item->index.profiles)
			follow_name(profile, old, new);
	}
}

static void tell_pool(struct op *op)
{
	const struct recover *recover = op->args;
	_cleanup_(freep) char *key = xasprintf(RECOVER_POOL "%s", recover->pool.pool);

	if (recover->was_lost)
		strmap_set(&op->metadata, key, recover->apply ? RECOVER_DONE : RECOVER_CAN);
}

int recover_report(struct op *op, struct recovery *found)
{
	struct recover *recover = op->args;

	tell_pool(op);
	follow_pool(found, recover->pool.pool);
	/* instances have them */
	vec_for_each(volume, &found->volumes)
		report(op, RECOVER_VOLUME, volume, recover_volume);
	vec_for_each(item, &found->items)
		report(op, "", item, judge);
	recover_forget_trial(op->core, recover);
	return 0;
}

int recover_read_found(struct op *op, struct recovery *ret_found)
{
	const struct recover *recover = op->args;
	struct buf bytes = { 0 };
	int r = op->err.code;

	if (r == 0 && lseek(recover->fd, 0, SEEK_SET) < 0)
		r = err_set(&op->err, -errno, "read what was found");
	if (r == 0) {
		r = fd_read_all(recover->fd, RECOVERY_BYTES_MAX, &bytes);
		if (r < 0)
			(void)err_set(&op->err, r, "read what was found");
	}
	if (r == 0)
		r = wire_decode(&recovery_schema, bytes.data, bytes.len, ret_found, &op->err);
	buf_done(&bytes);
	return r;
}

static enum op_next was_read(struct op *op, const struct job_report *job_report)
{
	struct recovery found = { 0 };
	int r = recover_read_found(op, &found);

	(void)job_report;
	if (r == 0)
		r = recover_report(op, &found);
	wire_free(&recovery_schema, &found);
	return op_result(r);
}

enum op_next recover_look(struct op *op, const struct pool_record *pool,
			  enum op_next (*done)(struct op *op, const struct job_report *report))
{
	const struct recover *recover = op->args;
	struct job job = { .kind = JOB_SIDE_READ };
	enum op_next next;

	if (ftruncate(recover->fd, 0) < 0 || lseek(recover->fd, 0, SEEK_SET) < 0) {
		(void)err_set(&op->err, -errno, "empty a memory file");
		return OP_FAIL;
	}
	pool_fill_job_anyway(op->core, pool, &job);
	next = job_run_out(op, &job, fd_copy(recover->fd, 3), done);
	wire_free(&job_schema, &job);
	return next;
}

static enum op_next step_read(struct op *op)
{
	const struct recover *recover = op->args;
	struct pool_record *pool = NULL;

	if (pool_find(op->core, recover->pool.pool, &pool, &op->err) < 0)
		return OP_FAIL;
	return recover_look(op, pool, was_read);
}

static const struct op_step steps[] = {
	{ "read", step_read, NULL },
	{ 0 },
};
const struct op_table recover_table = { "recover", steps };

/* ---- the op ---- */

void recover_free(struct recover *recover)
{
	free(recover->pool.pool);
	free(recover->driver);
	pool_record_free(recover->lost);
	strv_free(recover->tried);
	(void)fd_close(recover->fd);
	free(recover);
}

static void free_args(void *data)
{
	recover_free(data);
}

int recover_new(const struct recover_request *request, struct recover **ret_recover,
		struct err *err)
{
	struct recover *recover = xcalloc(1, sizeof(*recover));

	recover->pool.pool = xstrdup(request->pool);
	recover->driver = xstrdup(request->driver);
	recover->apply = request->apply;
	recover->trusted = request->trusted;
	recover->fd = memfd_create("recovery", MFD_CLOEXEC);
	if (recover->fd < 0) {
		int r = err_set(err, -errno, "make a memory file");

		recover_free(recover);
		return r;
	}
	*ret_recover = recover;
	return 0;
}

struct op *recover_new_op(struct core *core, struct recover *recover, struct err *err)
{
	const char *pool = recover->pool.pool;
	struct op *op = op_new(core, OP_TASK, "Recovering instances", recover, free_args, err);

	if (op && pool)
		op_add_resource(op, "storage-pools", pool);
	return op;
}

int recover_start(struct core *core, const struct recover_request *request, struct op **ret_op,
		  struct err *err)
{
	struct pool_record *pool = NULL;
	struct recover *recover = NULL;
	struct op *op;
	int r = core_check_open(core, err);

	if (r == 0)
		r = pool_find(core, request->pool, &pool, err);
	if (r == 0 && (request->source || request->driver))
		r = err_kind(
			err, ERR_CONFLICT,
			"storage pool \"%s\" exists already: what is at a source needs another "
			"name",
			pool->name);
	if (r == 0)
		r = recover_new(request, &recover, err);
	if (r < 0)
		return r;
	recover->was_lost = pool_is_lost(pool);
	op = recover_new_op(core, recover, err);
	if (!op)
		return -EBUSY;
	if (recover->was_lost && recover->apply)
		op_add_table(op, &pool_prepare_table);
	op_add_table(op, &recover_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

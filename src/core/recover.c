/*
 * core/recover.c - see recover.h
 *
 *   read
 *
 * Nothing on a disk is changed: an instance is recovered by its row alone.
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
#include "os/fd.h"
#include "spec/device.h"
#include "spec/recovery.h"

struct recover {
	char *pool;
	bool apply;
	int fd; /* what the helper found */
};

/* One instance on its way. */
struct candidate {
	struct core *core;
	const struct recover *recover;
	struct recovery_item *item;
	char **notes;
};

static void free_recover(void *data)
{
	struct recover *recover = data;

	free(recover->pool);
	(void)fd_close(recover->fd);
	free(recover);
}

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
		strmap_merge(devices_add(&record->devices, device->name), &device->options);
	r = profile_create(c->core, record, err);
	profile_record_free(record);
	return r;
}

/* A profile that is lost as well comes from the side file, when it can. */
static void recover_profile(struct candidate *c, const char *name)
{
	const struct backup_item *from = recorded_profile(c, name);
	struct err err = { 0 };

	if (strmap_has(&c->core->profiles, name) || !from)
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

static bool is_missing(const struct candidate *c, const char *kind, const char *name)
{
	_cleanup_(freep) char *what = xasprintf("%s %s", kind, name);

	return strv_contains((const char *const *)c->item->missing, what);
}

static bool is_image_missing(const struct candidate *c, const char *snapshot)
{
	const char *image = strmap_get(&c->item->index.images, snapshot);
	_cleanup_(freep) char *prefix = image ? xasprintf("%.12s", image) : NULL;

	return prefix && is_missing(c, "image", prefix);
}

static void drop_lost_snapshots(struct candidate *c)
{
	struct backup_index *index = &c->item->index;
	size_t kept = 0;

	for (size_t i = 0; i < index->snapshots.len; i++) {
		struct backup_item *snapshot = &index->snapshots.items[i];

		if (is_missing(c, "snapshot", snapshot->name) ||
		    is_image_missing(c, snapshot->name)) {
			strv_push_take(&c->notes, xasprintf("snapshot %s is lost", snapshot->name));
			wire_free(&backup_item_schema, snapshot);
		} else {
			index->snapshots.items[kept++] = *snapshot;
		}
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
	import->pool = xstrdup(c->recover->pool);
	import->trusted = true;
	import->upload = (struct upload){ -EBADF, -EBADF, -EBADF };
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
			r = image_volume_found(c->core, c->recover->pool, entry->value, err);
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

/* Returns: RECOVER_*. */
static const char *take_in(struct candidate *c)
{
	_cleanup_(import_freep) struct import *import = xcalloc(1, sizeof(*import));
	struct err err = { 0 };
	int r;

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

	if (inst && streq(inst->record->pool, c->recover->pool))
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

/* ---- the op ---- */

static void report(struct op *op, struct recovery_item *item)
{
	struct candidate c = { .core = op->core, .recover = op->args, .item = item };
	const char *word = judge(&c);

	if (word) {
		_cleanup_(freep) char *notes = strv_join((const char *const *)c.notes, "\n");

		strmap_set_take(&op->metadata, item->name,
				xasprintf("%s%s%s", word, str_empty(notes) ? "" : "\n",
					  notes ? notes : ""));
	}
	strv_free(c.notes);
}

static enum op_next was_read(struct op *op, const struct job_report *job_report)
{
	struct recover *recover = op->args;
	struct recovery found = { 0 };
	struct buf bytes = { 0 };
	int r = op->err.code;

	(void)job_report;
	if (r == 0 && lseek(recover->fd, 0, SEEK_SET) < 0)
		r = err_set(&op->err, -errno, "read what was found");
	if (r == 0) {
		r = fd_read_all(recover->fd, RECOVERY_BYTES_MAX, &bytes);
		if (r < 0)
			(void)err_set(&op->err, r, "read what was found");
	}
	if (r == 0)
		r = wire_decode(&recovery_schema, bytes.data, bytes.len, &found, &op->err);
	if (r == 0)
		vec_for_each(item, &found.items)
			report(op, item);
	buf_done(&bytes);
	wire_free(&recovery_schema, &found);
	return op_result(r);
}

static enum op_next step_read(struct op *op)
{
	const struct recover *recover = op->args;
	struct job job = { .kind = JOB_SIDE_READ };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, recover->pool, &job, &op->err) == 0)
		next = job_run_out(op, &job, fd_copy(recover->fd, 3), was_read);
	wire_free(&job_schema, &job);
	return next;
}

static const struct op_step steps[] = {
	{ "read", step_read, NULL },
	{ 0 },
};
static const struct op_table recover_table = { "recover", steps };

int recover_start(struct core *core, const char *pool, bool apply, struct op **ret_op,
		  struct err *err)
{
	struct pool_record *record;
	struct recover *recover;
	struct op *op;
	int r = core_check_open(core, err);

	if (r == 0)
		r = pool_find(core, pool, &record, err);
	if (r < 0)
		return r;
	recover = xcalloc(1, sizeof(*recover));
	recover->pool = xstrdup(pool);
	recover->apply = apply;
	recover->fd = memfd_create("recovery", MFD_CLOEXEC);
	if (recover->fd < 0) {
		r = err_set(err, -errno, "make a memory file");
		free_recover(recover);
		return r;
	}
	op = op_new(core, OP_TASK, "Recovering instances", recover, free_recover, err);
	if (!op)
		return -EBUSY;
	op_add_resource(op, "storage-pools", pool);
	op_add_table(op, &recover_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

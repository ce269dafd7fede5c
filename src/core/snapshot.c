/* core/snapshot.c - see snapshot.h: the list, names, expiry, and deleting */
#include "core/snapshot.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/image.h"
#include "core/inst.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/pool.h"
#include "db/snapshots.h"
#include "spec/names.h"

/* ---- the list ---- */

static struct inst *inst_by_id(struct core *core, int64_t id)
{
	strmap_for_each(entry, &core->instances)
	{
		struct inst *inst = entry->value;

		if (inst->record->id == id)
			return inst;
	}
	return NULL;
}

static void take_snapshot(void *data, struct snap_record *record)
{
	struct inst *inst = inst_by_id(data, record->instance_id);

	if (inst)
		snap_list_add(&inst->snapshots, record);
	else
		snap_record_free(record); /* the reference in the database forbids it */
}

int snapshots_load(struct core *core, struct err *err)
{
	return db_snapshots_load(core->db, take_snapshot, core, err);
}

int snapshot_find(const struct inst *inst, const char *name, struct snap_record **ret_snapshot,
		  struct err *err)
{
	int r = name_validate(NAME_SNAPSHOT, name, err);

	if (r < 0)
		return r;
	vec_for_each(snapshot, &inst->snapshots) {
		if (streq((*snapshot)->name, name)) {
			*ret_snapshot = *snapshot;
			return 0;
		}
	}
	return err_kind(err, ERR_NOT_FOUND, "Instance snapshot not found: \"%s/%s\"",
			inst->record->name, name);
}

struct snap_record *snapshot_by_volume(struct core *core, const char *volume)
{
	strmap_for_each(entry, &core->instances)
	{
		const struct inst *inst = entry->value;

		vec_for_each(snapshot, &inst->snapshots)
			if (streq((*snapshot)->volume, volume))
				return *snapshot;
	}
	return NULL;
}

char **snapshots_volumes(const struct inst *inst)
{
	return snap_list_volumes(&inst->snapshots);
}

static void add_once(char ***list, const char *word)
{
	if (word && !strv_contains((const char *const *)*list, word))
		strv_push(list, word);
}

char **snapshots_images(const struct inst *inst)
{
	char **images = NULL;

	add_once(&images, inst->record->image_fingerprint);
	vec_for_each(snapshot, &inst->snapshots)
		add_once(&images, (*snapshot)->inst->image_fingerprint);
	return images;
}

void snapshots_fill_journal(const struct inst *inst, struct strmap *data)
{
	_cleanup_(strv_freep) char **volumes = snapshots_volumes(inst);
	_cleanup_(strv_freep) char **images = snapshots_images(inst);

	if (volumes)
		strmap_set_take(data, "snapshots", strv_join((const char *const *)volumes, ","));
	if (images)
		strmap_set_take(data, "images", strv_join((const char *const *)images, ","));
}

void snapshot_add_resource(struct op *op, const struct inst *inst, const char *name)
{
	_cleanup_(freep) char *both = xasprintf("%s/%s", inst->record->name, name);

	op_add_resource(op, "instances", inst->record->name);
	op_add_resource(op, "instances_snapshots", both);
}

void snapshot_publish(const struct inst *inst, const char *action, const char *name)
{
	_cleanup_(freep) char *both = xasprintf("%s/%s", inst->record->name, name);

	events_publish_lifecycle(&inst->core->events, action, "instances_snapshots", both);
}

int snapshots_insert_in_tx(const struct inst *inst, const struct snap_list *list, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < list->len && r == 0; i++) {
		list->items[i]->instance_id = inst->record->id;
		r = db_snapshot_insert(inst->core->db, list->items[i], err);
	}
	return r;
}

/* ---- expiry ---- */

int snapshot_set_expiry(struct inst *inst, const char *name, int64_t wall_ns, struct err *err)
{
	struct snap_record *snapshot;
	int r = snapshot_find(inst, name, &snapshot, err);

	if (r == 0)
		r = db_snapshot_set_expiry(inst->core->db, snapshot->id, wall_ns, err);
	if (r < 0)
		return r;
	snapshot->expires_wall_ns = wall_ns;
	snapshot_publish(inst, "instance-snapshot-updated", name);
	return 0;
}

/* ---- renaming ---- */

struct rename_args {
	char *name;
	char *new_name;
};

static void free_rename(void *data)
{
	struct rename_args *args = data;

	free(args->name);
	free(args->new_name);
	free(args);
}

static enum op_next step_rename(struct op *op)
{
	const struct rename_args *args = op->args;
	struct snap_record *snapshot;

	if (snapshot_find(op->inst, args->name, &snapshot, &op->err) < 0 ||
	    db_snapshot_rename(op->core->db, snapshot->id, args->new_name, &op->err) < 0)
		return OP_FAIL;
	replace_str(&snapshot->name, args->new_name);
	snapshot_publish(op->inst, "instance-snapshot-renamed", args->new_name);
	return OP_NEXT;
}

static const struct op_step rename_steps[] = {
	{ "rename", step_rename, NULL },
	{ 0 },
};
static const struct op_table rename_table = { "snapshot-rename", rename_steps };

static int check_rename(struct inst *inst, const char *name, const char *new_name, struct err *err)
{
	struct snap_record *snapshot;
	int r = core_check_open(inst->core, err);

	if (r == 0)
		r = snapshot_find(inst, name, &snapshot, err);
	if (r == 0)
		r = name_validate(NAME_SNAPSHOT, new_name, err);
	if (r == 0 && snapshot_find(inst, new_name, &snapshot, NULL) == 0)
		r = err_kind(err, ERR_CONFLICT, "snapshot \"%s\" exists already", new_name);
	return r;
}

int snapshot_rename(struct inst *inst, const char *name, const char *new_name, struct op **ret_op,
		    struct err *err)
{
	struct rename_args *args;
	struct op *op;
	int r = check_rename(inst, name, new_name, err);

	if (r < 0)
		return r;
	args = xcalloc(1, sizeof(*args));
	args->name = xstrdup(name);
	args->new_name = xstrdup(new_name);
	op = op_new(inst->core, OP_TASK, "Renaming snapshot", args, free_rename, err);
	if (!op)
		return -EBUSY;
	r = inst_claim(inst, op, err);
	if (r < 0) {
		op_unref(op);
		return r;
	}
	snapshot_add_resource(op, inst, new_name);
	op_add_table(op, &rename_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

/* ---- deleting ---- */

struct delete_args {
	char **names;
	struct snapshot_rests rests;
};

void snapshot_rests_done(struct snapshot_rests *rests)
{
	rests->volumes = strv_free(rests->volumes);
	rests->images = strv_free(rests->images);
}

static void free_delete(void *data)
{
	struct delete_args *args = data;

	strv_free(args->names);
	snapshot_rests_done(&args->rests);
	free(args);
}

int snapshots_forget_in_tx(struct op *op, char *const *names, struct snapshot_rests *rests,
			   struct err *err)
{
	struct strmap extra = { 0 };
	int r = 0;

	for (char *const *name = names; *name && r == 0; name++) {
		struct snap_record *snapshot;

		r = snapshot_find(op->inst, *name, &snapshot, err);
		if (r == 0)
			r = db_snapshot_delete(op->core->db, snapshot->id, err);
		if (r == 0) {
			strv_push(&rests->volumes, snapshot->volume);
			add_once(&rests->images, snapshot->inst->image_fingerprint);
		}
	}
	if (r < 0)
		return r;
	strmap_set_take(&extra, "snapshots", strv_join((const char *const *)rests->volumes, ","));
	if (rests->images)
		strmap_set_take(&extra, "images",
				strv_join((const char *const *)rests->images, ","));
	r = journal_write_with(op, "snapshot-delete", op->inst->record, &extra, err);
	strmap_done(&extra);
	return r;
}

static void drop_from_memory(struct inst *inst, const char *name)
{
	size_t kept = 0;

	vec_for_each(snapshot, &inst->snapshots) {
		if (streq((*snapshot)->name, name))
			snap_record_free(*snapshot);
		else
			inst->snapshots.items[kept++] = *snapshot;
	}
	inst->snapshots.len = kept;
}

void snapshots_drop(struct inst *inst, char *const *names)
{
	for (char *const *name = names; *name; name++) {
		drop_from_memory(inst, *name);
		snapshot_publish(inst, "instance-snapshot-deleted", *name);
	}
}

/* The point of no return: the rows go, a journal row for the volumes comes. */
static enum op_next step_forget(struct op *op)
{
	struct delete_args *args = op->args;
	struct db *db = op->core->db;
	int r = db_begin(db, &op->err);

	if (r < 0)
		return OP_FAIL;
	r = snapshots_forget_in_tx(op, args->names, &args->rests, &op->err);
	r = db_end(db, r, &op->err);
	if (r < 0)
		return OP_FAIL;
	op_no_return(op);
	snapshots_drop(op->inst, args->names);
	return OP_NEXT;
}

enum op_next snapshots_delete_rests(struct op *op, const struct snapshot_rests *rests)
{
	struct job job = { .kind = JOB_SNAPSHOT_DELETE };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, op->inst->record->pool, &job, &op->err) == 0) {
		job.snapshots = strv_copy((const char *const *)rests->volumes);
		next = job_run(op, &job, -EBADF, NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

void snapshots_clean_up(struct op *op, const struct snapshot_rests *rests)
{
	journal_erase(op);
	for (char **image = rests->images; image && *image; image++)
		image_volume_unused(op->core, op->inst->record->pool, *image);
}

static enum op_next step_delete_volumes(struct op *op)
{
	const struct delete_args *args = op->args;

	return snapshots_delete_rests(op, &args->rests);
}

static enum op_next step_clean_up(struct op *op)
{
	const struct delete_args *args = op->args;

	snapshots_clean_up(op, &args->rests);
	return OP_NEXT;
}

static const struct op_step delete_steps[] = {
	{ "forget", step_forget, NULL },
	{ "delete-volumes", step_delete_volumes, NULL },
	{ "clean-up", step_clean_up, NULL },
	{ 0 },
};
static const struct op_table delete_table = { "snapshot-delete", delete_steps };

static int check_delete(struct inst *inst, char *const *names, struct err *err)
{
	struct snap_record *snapshot;
	int r = core_check_open(inst->core, err);

	if (r == 0 && (!names || !*names))
		r = err_kind(err, ERR_INVALID, "no snapshot is named");
	for (; r == 0 && *names; names++)
		r = snapshot_find(inst, *names, &snapshot, err);
	return r;
}

int snapshots_delete(struct inst *inst, char *const *names, struct op **ret_op, struct err *err)
{
	struct delete_args *args;
	struct op *op;
	int r = check_delete(inst, names, err);

	if (r == 0)
		r = pool_check_there(inst->core, inst->record->pool, err);
	if (r < 0)
		return r;
	args = xcalloc(1, sizeof(*args));
	args->names = strv_copy((const char *const *)names);
	op = op_new(inst->core, OP_TASK, "Deleting snapshot", args, free_delete, err);
	if (!op)
		return -EBUSY;
	r = inst_claim_unread(inst, op, err);
	if (r < 0) {
		op_unref(op);
		return r;
	}
	snapshot_add_resource(op, inst, names[0]);
	op_add_table(op, &delete_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

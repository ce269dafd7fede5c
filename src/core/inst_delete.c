/*
 * core/inst_delete.c - take a stopped instance away
 *
 *   check -> await-released -> await-files -> forget -> delete-volume -> clean-up
 *
 * "forget" is the point of no return: the row goes and a journal row for the volume comes in one
 * transaction. The answer comes when the name is free; space is freed after that.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/files.h"
#include "core/image.h"
#include "core/inst.h"
#include "core/inst_events.h"
#include "core/inst_ops.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/network.h"
#include "core/pool.h"
#include "core/privileged.h"
#include "core/side_files.h"
#include "core/snapshot.h"
#include "db/instances.h"
#include "spec/keys.h"

static int write_journal(struct op *op, struct err *err)
{
	_cleanup_(strmap_done) struct strmap extra = { 0 };

	snapshots_fill_journal(op->inst, &extra);
	return journal_write_with(op, "instance-delete", op->inst->record, &extra, err);
}

/* @journal: its volumes are to go. */
static int forget(struct op *op, bool journal, struct err *err)
{
	struct inst_record *record = op->inst->record;
	struct db *db = op->core->db;
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	if (journal)
		r = write_journal(op, err);
	if (r == 0)
		r = netman_release_nic(op->core->net, record->id, NULL, err);
	if (r == 0)
		r = db_instance_delete(db, record->id, err);
	if (r == 0)
		return db_commit(db, err);
	db_rollback(db);
	netman_rolled_back(op->core->net);
	return r;
}

int inst_forget(struct op *op, struct err *err)
{
	return forget(op, true, err);
}

static enum op_next step_forget(struct op *op)
{
	if (inst_forget(op, &op->err) < 0)
		return OP_FAIL;
	op_no_return(op);
	op->inst->stored = false;
	return OP_NEXT;
}

static enum op_next step_delete_volume(struct op *op)
{
	const struct inst_record *record = op->inst->record;
	struct job job = { .kind = JOB_VOLUME_DELETE };
	enum op_next next = OP_FAIL;

	if (pool_fill_job(op->core, record->pool, &job, &op->err) == 0) {
		job.volume = xstrdup(record->name);
		job.image = xstrdup(record->image_fingerprint);
		job.snapshots = snapshots_volumes(op->inst);
		next = job_run(op, &job, -EBADF, NULL);
	}
	wire_free(&job_schema, &job);
	return next;
}

/* Flat, and only ours; what stays is no harm. */
static void remove_logs(const char *path)
{
	DIR *dir = opendir(path);

	if (!dir)
		return;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	(void)closedir(dir);
	(void)rmdir(path);
}

static void clean_up(struct op *op)
{
	struct inst *inst = op->inst;
	_cleanup_(freep) char *logs = inst_log_dir(inst);

	remove_logs(logs);
	log_info(((struct log_keys){ .inst = inst->record->name }), "instance deleted");
	privileged_forget(op->core, inst->record->name);
	events_publish_lifecycle(&op->core->events, "instance-deleted", "instances",
				 inst->record->name);
	core_release(op);
	inst_remove(inst);
}

static enum op_next step_clean_up(struct op *op)
{
	_cleanup_(freep) char *pool = xstrdup(op->inst->record->pool);
	_cleanup_(strv_freep) char **images = snapshots_images(op->inst);

	journal_erase(op);
	clean_up(op);
	for (char **image = images; image && *image; image++)
		image_volume_unused(op->core, pool, *image);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "check", inst_step_check_stopped, NULL },
	{ "await-released", inst_step_await_released, NULL },
	{ "await-files", files_step_await_idle, NULL },
	{ "forget", step_forget, NULL },
	{ "delete-volume", step_delete_volume, NULL },
	{ "clean-up", step_clean_up, NULL },
	{ 0 },
};
const struct op_table inst_delete_table = { "delete", steps };

/* ---- on a pool that is lost ---- */

static enum op_next step_forget_only(struct op *op)
{
	const struct inst_record *record = op->inst->record;

	/* it may have come back meanwhile */
	if (pool_check_removal(op->core, record->pool, "instance", true, &op->err) < 0 ||
	    forget(op, false, &op->err) < 0)
		return OP_FAIL;
	op_no_return(op);
	op->inst->stored = false;
	side_files_leave(op->core->side_files, record->name);
	pool_tell_left(op, record->pool, "its root file system");
	return OP_NEXT;
}

static enum op_next step_clean_up_forgotten(struct op *op)
{
	clean_up(op);
	return OP_NEXT;
}

static const struct op_step forget_steps[] = {
	{ "check", inst_step_check_stopped, NULL },
	{ "await-released", inst_step_await_released, NULL },
	{ "await-files", files_step_await_idle, NULL },
	{ "forget", step_forget_only, NULL },
	{ "clean-up", step_clean_up_forgotten, NULL },
	{ 0 },
};
static const struct op_table forget_table = { "forget", forget_steps };

int inst_delete(struct inst *inst, bool forget, struct op **ret_op, struct err *err)
{
	struct op *op;
	int r = core_check_open(inst->core, err);

	if (r < 0)
		return r;
	if (inst->state != INST_STOPPED)
		return err_kind(err, ERR_INVALID, "Instance is running");
	if (keys_get_bool(&inst->expanded.config, "security.protection.delete", false))
		return err_kind(err, ERR_INVALID,
				"Instance is protected from being deleted "
				"(security.protection.delete)");
	r = pool_check_removal(inst->core, inst->record->pool, "instance", forget, err);
	if (r < 0)
		return r;
	op = op_new(inst->core, OP_TASK, "Deleting instance", NULL, NULL, err);
	if (!op)
		return -EBUSY;
	r = inst_claim_unread(inst, op, err);
	if (r < 0) {
		op_unref(op);
		return r;
	}
	op_add_resource(op, "instances", inst->record->name);
	op_add_table(op, forget ? &forget_table : &inst_delete_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

/*
 * core/import.c - see import.h
 *
 *   store -> inspect -> claim -> journal -> unpack -> record
 *
 * Up to "claim" nothing has a name that could be left behind; from "journal" on it is as with every
 * new instance (core/inst_create.c).
 */
#include "core/import.h"

#include <errno.h>
#include <stdlib.h>

#include "aio/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/inst_create.h"
#include "core/inst_ids.h"
#include "core/inst_ops.h"
#include "core/job.h"
#include "core/journal.h"
#include "core/pool.h"
#include "core/quota.h"
#include "core/warning.h"
#include "os/fd.h"

void import_free(struct import *import)
{
	if (!import)
		return;
	free(import->name);
	free(import->pool);
	upload_done(&import->upload);
	strv_free(import->left_out);
	inst_record_free(import->record);
	snap_list_done(&import->snapshots);
	free(import);
}

void import_freep(struct import **import)
{
	import_free(*import);
	*import = NULL;
}

static void free_import(void *data)
{
	import_free(data);
}

static enum op_next step_store(struct op *op)
{
	struct import *import = op->args;

	return upload_store(op, &import->upload);
}

static enum op_next inspected(struct op *op, const struct job_report *report)
{
	struct import *import = op->args;
	struct backup_index index = { 0 };
	int r = op->err.code;

	(void)report;
	if (r == 0)
		r = upload_read_index(&import->upload, &index, &op->err);
	if (r == 0)
		r = import_make_records(op->core, &index, import, &op->err);
	wire_free(&backup_index_schema, &index);
	return op_result(r);
}

static enum op_next step_inspect(struct op *op)
{
	struct import *import = op->args;

	return upload_inspect(op, &import->upload, false, inspected);
}

static enum op_next step_claim(struct op *op)
{
	struct import *import = op->args;
	struct inst *inst;

	if (inst_check_new_name(op->core, import->record->name, &op->err) < 0)
		return OP_FAIL;
	inst = inst_add(op->core, TAKE_PTR(import->record));
	inst_expand(inst);
	(void)inst_claim(inst, op, NULL); /* it is new: nobody has it */
	inst->snapshots = import->snapshots;
	import->snapshots = (struct snap_list){ 0 };
	op_add_resource(op, "instances", inst->record->name);
	strmap_set(&op->metadata, "name", inst->record->name);
	if (import->left_out)
		strmap_set_take(&op->metadata, "left_out",
				strv_join((const char *const *)import->left_out, "\n"));
	if (inst_choose_pool(inst, &op->err) == 0 &&
	    inst_check_no_root(op->core, inst->record->pool, inst->record->name, &op->err) == 0 &&
	    inst_choose_ids(inst, &op->err) == 0) {
		inst_note_nics(inst);
		inst_expand(inst);
		quota_note(inst->record, quota_wanted(&inst->expanded));
		return OP_NEXT;
	}
	(void)inst_create_undo_claim(op);
	return OP_FAIL;
}

/* It died: what is there now, the next start finds by the journal. */
static enum op_next unpacked(struct op *op, const struct job_report *report)
{
	if (!report->done)
		op->undo_failed = true;
	vec_for_each(snapshot, &op->inst->snapshots)
		(*snapshot)->size_bytes = upload_size_of(report, (*snapshot)->volume);
	return op_result(op->err.code);
}

static enum op_next step_unpack(struct op *op)
{
	struct import *import = op->args;
	struct inst *inst = op->inst;
	struct job job = { .kind = JOB_BACKUP_UNPACK };
	enum op_next next = OP_FAIL;
	int fd = upload_reopen(&import->upload, &op->err);

	if (fd < 0)
		return OP_FAIL;
	if (pool_fill_job(op->core, inst->record->pool, &job, &op->err) < 0)
		(void)fd_close(fd);
	else {
		job.volume = xstrdup(inst->record->name);
		job.size_bytes = quota_wanted(&inst->expanded);
		vec_for_each(snapshot, &inst->snapshots)
			strmap_set(&job.properties, (*snapshot)->name, (*snapshot)->volume);
		next = job_run(op, &job, fd, unpacked);
	}
	wire_free(&job_schema, &job);
	return next;
}

/* For clients that do not know what "left_out" of the operation is. */
static enum op_next step_tell(struct op *op)
{
	const struct import *import = op->args;
	_cleanup_(freep) char *entity = xasprintf("instances/%s", op->inst->record->name);
	_cleanup_(freep) char *text = strv_join((const char *const *)import->left_out, "; ");

	core_warn(op->core, "Import left something out", entity, import->left_out ? text : NULL);
	return OP_NEXT;
}

static const struct op_step steps[] = {
	{ "store", step_store, NULL },
	{ "inspect", step_inspect, NULL },
	{ "claim", step_claim, inst_create_undo_claim },
	{ "journal", inst_create_journal, inst_create_undo_journal },
	{ "unpack", step_unpack, NULL },
	{ "record", inst_create_record, inst_create_undo_record },
	{ "tell", step_tell, NULL },
	{ 0 },
};
static const struct op_table import_table = { "import", steps };

static int check_request(struct core *core, const struct import *import, struct err *err)
{
	struct pool_record *pool = NULL;
	int r = core_check_open(core, err);

	if (r == 0 && import->name)
		r = inst_check_new_name(core, import->name, err);
	if (r == 0 && import->pool)
		r = pool_find(core, import->pool, &pool, err);
	return r;
}

int import_start(struct core *core, struct import *import, int *ret_body_fd, struct op **ret_op,
		 struct err *err)
{
	_cleanup_(fd_closep) int body_fd = -EBADF;
	struct op *op;
	int r = check_request(core, import, err);

	import->upload = (struct upload){ -EBADF, -EBADF, -EBADF };
	if (r == 0)
		r = upload_open(core, &import->upload, &body_fd, err);
	if (r < 0) {
		import_free(import);
		return r;
	}
	op = op_new(core, OP_TASK, "Importing instance", import, free_import, err);
	if (!op)
		return -EBUSY;
	op_add_table(op, &import_table);
	op_start(op);
	*ret_body_fd = TAKE_FD(body_fd);
	*ret_op = op;
	return 0;
}

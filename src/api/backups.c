/*
 * api/backups.c - /1.0/instances/{name}/backups: how clients of LXD and Incus export
 *
 * They make a backup, wait for it, fetch its export and delete it. Here it is made while it is
 * fetched; a backup is only what they asked for.
 */
#include "api/backups.h"

#include "api/handlers.h"
#include "api/instance_export.h"
#include "api/objects.h"
#include "api/snapshots.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/inst_backup.h"
#include "core/op.h"

#define COMPRESSION_DEFAULT "zstd"

/* ---- objects ---- */

static void write_backup(struct jsonw *w, const struct backup_record *backup)
{
	jsonw_begin_object(w);
	jsonw_add_str(w, "name", backup->name);
	write_time(w, "created_at", backup->created_wall_ns);
	write_expiry(w, backup->expires_wall_ns);
	jsonw_add_bool(w, "instance_only", backup->instance_only);
	jsonw_add_bool(w, "container_only", backup->instance_only);
	jsonw_add_bool(w, "optimized_storage", false);
	jsonw_add_str(w, "compression_algorithm", backup->compression);
	jsonw_end_object(w);
}

void write_backups(struct jsonw *w, const struct inst *inst)
{
	if (!jsonw_wants(w, "backups"))
		return;
	if (inst->backups.len == 0) {
		jsonw_add_null(w, "backups");
		return;
	}
	jsonw_add_array(w, "backups");
	vec_for_each(backup, &inst->backups)
		if (!backup_has_expired(inst->core, *backup))
			write_backup(w, *backup);
	jsonw_end_array(w);
}

/* ---- reading ---- */

void backups_list(struct api_req *req)
{
	struct inst *inst;

	if (inst_find(req->core, req->args[0], &inst, &req->err) < 0) {
		reply_error(req);
		return;
	}
	backups_expire(inst);
	jsonw_begin_array(&req->json);
	vec_for_each(backup, &inst->backups) {
		if (api_recursion(req) > 0)
			write_backup(&req->json, *backup);
		else
			write_url_below(&req->json, req->collection, inst->record->name, "backups",
					(*backup)->name);
	}
	jsonw_end_array(&req->json);
	reply_sync(req);
}

static int find(struct api_req *req, struct inst **ret_inst, struct backup_record **ret_backup)
{
	int r = inst_find(req->core, req->args[0], ret_inst, &req->err);

	return r < 0 ? r : backup_find(*ret_inst, req->args[1], ret_backup, &req->err);
}

void backup_get(struct api_req *req)
{
	struct backup_record *backup;
	struct inst *inst;

	if (find(req, &inst, &backup) < 0) {
		reply_error(req);
		return;
	}
	write_backup(&req->json, backup);
	reply_sync(req);
}

void backup_export(struct api_req *req)
{
	struct backup_record *backup;
	struct inst *inst;

	if (find(req, &inst, &backup) < 0) {
		reply_error(req);
		return;
	}
	backup_publish(inst, "retrieved", backup->name);
	export_instance(req, inst, backup->instance_only, backup->compression);
}

/* ---- making and changing: done at once, asynchronous by contract ---- */

static enum op_next step_done(struct op *op)
{
	(void)op;
	return OP_NEXT;
}

static const struct op_step done_steps[] = {
	{ "record", step_done, NULL },
	{ 0 },
};
static const struct op_table done_table = { "backup", done_steps };

/* One client looks for the last part of the URL, another for what follows "/1.0/backups/". */
void reply_backup_op(struct api_req *req, const char *description, const char *owners,
		     const char *name)
{
	struct op *op = op_new(req->core, OP_TASK, description, NULL, NULL, &req->err);

	if (!op) {
		reply_error(req);
		return;
	}
	if (streq(owners, "instances"))
		op_add_resource(op, owners, req->args[0]);
	op_add_resource(op, "backups", name);
	op_add_table(op, &done_table);
	op_start(op);
	reply_op(req, op);
}

int read_backup(const json_t *body, struct backup_record *backup, struct err *err)
{
	const char *compression = json_str(body, "compression_algorithm", "");
	int r = json_check(body, "s:name s:expires_at b:optimized_storage s:compression_algorithm",
			   err);

	if (r == 0 && json_bool(body, "optimized_storage", false))
		r = err_kind(err, ERR_UNSUPPORTED,
			     "backups in a storage driver's own format are not offered: leave "
			     "optimized_storage (--optimized-storage) out");
	if (r == 0)
		r = read_expiry(body, &backup->expires_wall_ns, err);
	if (r < 0) /* 1: there was an expiry */
		return r;
	backup->compression = xstrdup(str_empty(compression) ? COMPRESSION_DEFAULT : compression);
	return 0;
}

static int read_of_instance(const json_t *body, struct backup_record *backup, struct err *err)
{
	int r = json_check(body, "b:instance_only b:container_only", err);

	backup->instance_only =
		json_bool(body, "instance_only", false) || json_bool(body, "container_only", false);
	return r < 0 ? r : read_backup(body, backup, err);
}

void backups_post(struct api_req *req)
{
	_cleanup_(backup_record_freep) struct backup_record *given =
		backup_record_new(json_str(req->body, "name", ""));
	const struct backup_record *backup;
	struct inst *inst;
	int r = inst_find(req->core, req->args[0], &inst, &req->err);

	if (r == 0)
		r = read_of_instance(req->body, given, &req->err);
	if (r == 0)
		r = backup_create(inst, given, &backup, &req->err);
	if (r < 0)
		reply_error(req);
	else
		reply_backup_op(req, "Backing up instance", "instances", backup->name);
}

void backup_post(struct api_req *req)
{
	const char *new_name = json_str(req->body, "name", "");
	struct inst *inst;
	int r = inst_find(req->core, req->args[0], &inst, &req->err);

	if (r == 0)
		r = backup_rename(inst, req->args[1], new_name, &req->err);
	if (r < 0)
		reply_error(req);
	else
		reply_backup_op(req, "Renaming backup", "instances", new_name);
}

void backup_remove(struct api_req *req)
{
	struct inst *inst;
	int r = inst_find(req->core, req->args[0], &inst, &req->err);

	if (r == 0)
		r = backup_delete(inst, req->args[1], &req->err);
	if (r < 0)
		reply_error(req);
	else
		reply_backup_op(req, "Deleting backup", "instances", req->args[1]);
}

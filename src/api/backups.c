/*
 * api/backups.c - .../backups of instances and of custom volumes: how clients of LXD and Incus export
 *
 * They make a backup, wait for it, fetch its export and delete it. Here it is made while it is
 * fetched; a backup is only what they asked for.
 */
#include "api/backups.h"

#include "api/handlers.h"
#include "api/instance_export.h"
#include "api/objects.h"
#include "api/routes.h"
#include "api/snapshots.h"
#include "api/volumes.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "core/backup.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/op.h"
#include "core/volume.h"

#define COMPRESSION_DEFAULT "zstd"

/* ---- what the path names ---- */

static bool is_of_volume(const struct api_req *req)
{
	return str_after(req->route->pattern, "/1.0/storage-pools/");
}

static int find_owner(struct api_req *req, struct backup_owner *ret_owner)
{
	struct volume *volume = NULL;
	struct inst *inst = NULL;
	int r = is_of_volume(req) ? api_find_volume(req, &volume)
				  : inst_find(req->core, req->args[0], &inst, &req->err);

	if (r == 0)
		*ret_owner = volume ? backup_owner_volume(volume) : backup_owner_inst(inst);
	return r;
}

static const char *backup_arg(const struct api_req *req)
{
	return req->args[is_of_volume(req) ? 3 : 1];
}

static int find(struct api_req *req, struct backup_owner *ret_owner,
		struct backup_record **ret_backup)
{
	int r = find_owner(req, ret_owner);

	return r < 0 ? r : backup_find(ret_owner, backup_arg(req), ret_backup, &req->err);
}

/* ---- objects ---- */

static void write_backup(struct jsonw *w, const struct backup_record *backup)
{
	jsonw_begin_object(w);
	jsonw_add_str(w, "name", backup->name);
	write_time(w, "created_at", backup->created_wall_ns);
	write_expiry(w, backup->expires_wall_ns);
	if (backup->volume_id > 0) {
		jsonw_add_bool(w, "volume_only", backup->alone);
	} else {
		jsonw_add_bool(w, "instance_only", backup->alone);
		jsonw_add_bool(w, "container_only", backup->alone);
	}
	jsonw_add_bool(w, "optimized_storage", false);
	jsonw_add_str(w, "compression_algorithm", backup->compression);
	jsonw_end_object(w);
}

void write_backups(struct jsonw *w, const struct inst *inst)
{
	if (!jsonw_wants(w, "backups"))
		return;
	if (inst->backups.list.len == 0) {
		jsonw_add_null(w, "backups");
		return;
	}
	jsonw_add_array(w, "backups");
	vec_for_each(backup, &inst->backups.list)
		if (!backup_has_expired(inst->core, *backup))
			write_backup(w, *backup);
	jsonw_end_array(w);
}

static void write_backup_url(struct api_req *req, const struct backup_owner *owner,
			     const char *name)
{
	_cleanup_(freep) char *collection =
		owner->inst ? xstrdup(req->collection)
			    : xasprintf("storage-pools/%s/volumes/custom", req->args[0]);

	write_url_below(&req->json, collection, req->args[is_of_volume(req) ? 2 : 0], "backups",
			name);
}

/* ---- reading ---- */

void backups_list(struct api_req *req)
{
	struct backup_owner owner;

	if (find_owner(req, &owner) < 0) {
		reply_error(req);
		return;
	}
	backups_expire(&owner);
	jsonw_begin_array(&req->json);
	vec_for_each(backup, &owner.backups->list) {
		if (api_recursion(req) > 0)
			write_backup(&req->json, *backup);
		else
			write_backup_url(req, &owner, (*backup)->name);
	}
	jsonw_end_array(&req->json);
	reply_sync(req);
}

void backup_get(struct api_req *req)
{
	struct backup_record *backup;
	struct backup_owner owner;
	int r = find(req, &owner, &backup);

	if (r == 0)
		write_backup(&req->json, backup);
	reply_result(req, r);
}

void backup_export(struct api_req *req)
{
	struct backup_record *backup;
	struct backup_owner owner;

	if (find(req, &owner, &backup) < 0) {
		reply_error(req);
		return;
	}
	backup_publish(&owner, "retrieved", backup->name);
	if (owner.inst)
		export_instance(req, owner.inst, backup->alone, backup->compression);
	else
		export_volume(req, owner.volume, backup->alone, backup->compression);
}

int read_export_query(struct api_req *req, const char *only, bool *ret_alone,
		      const char **ret_compression)
{
	const char *compression = api_query(req, "compression");

	*ret_alone = false;
	*ret_compression = str_empty(compression) ? COMPRESSION_DEFAULT : compression;
	return api_query_bool(req, only, ret_alone);
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

/* @r: whether it is done. */
static void reply_change(struct api_req *req, int r, const char *description,
			 const struct backup_owner *owner, const char *name)
{
	struct op *op =
		r < 0 ? NULL : op_new(req->core, OP_TASK, description, NULL, NULL, &req->err);

	if (!op) {
		reply_error(req);
		return;
	}
	backup_add_resources(owner, name, op);
	op_add_table(op, &done_table);
	op_start(op);
	reply_op(req, op);
}

static int read_backup(const json_t *body, struct backup_record *backup, struct err *err)
{
	const char *compression = json_str(body, "compression_algorithm", "");
	int r = json_check(body,
			   "s:name s:expires_at b:optimized_storage s:compression_algorithm"
			   " b:instance_only b:container_only b:volume_only",
			   err);

	if (r == 0 && json_bool(body, "optimized_storage", false))
		r = err_kind(err, ERR_UNSUPPORTED,
			     "backups in a storage driver's own format are not offered: leave "
			     "optimized_storage (--optimized-storage) out");
	if (r == 0)
		r = read_expiry(body, &backup->expires_wall_ns, err);
	if (r < 0) /* 1: there was an expiry */
		return r;
	backup->alone = json_bool(body, "instance_only", false) ||
			json_bool(body, "container_only", false) ||
			json_bool(body, "volume_only", false);
	backup->compression = xstrdup(str_empty(compression) ? COMPRESSION_DEFAULT : compression);
	return 0;
}

void backups_post(struct api_req *req)
{
	_cleanup_(backup_record_freep) struct backup_record *given =
		backup_record_new(json_str(req->body, "name", ""));
	const struct backup_record *backup = given;
	struct backup_owner owner;
	int r = find_owner(req, &owner);

	if (r == 0)
		r = read_backup(req->body, given, &req->err);
	if (r == 0)
		r = backup_create(&owner, given, &backup, &req->err);
	reply_change(req, r, "Creating backup", &owner, backup->name);
}

void backup_post(struct api_req *req)
{
	const char *new_name = json_str(req->body, "name", "");
	struct backup_owner owner;
	int r = find_owner(req, &owner);

	if (r == 0)
		r = backup_rename(&owner, backup_arg(req), new_name, &req->err);
	reply_change(req, r, "Renaming backup", &owner, new_name);
}

void backup_remove(struct api_req *req)
{
	struct backup_owner owner;
	int r = find_owner(req, &owner);

	if (r == 0)
		r = backup_delete(&owner, backup_arg(req), &req->err);
	reply_change(req, r, "Deleting backup", &owner, backup_arg(req));
}

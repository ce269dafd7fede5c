/*
 * api/volume_backups.c - custom volumes to backups and back: .../volumes/custom/{volume}/backups and
 * /export, and uploads
 *
 * The clients of LXD and Incus make a backup, wait for it, fetch its export and delete it. Here it is
 * packed while it is fetched.
 */
#include <stdlib.h>

#include "api/backups.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "api/snapshots.h"
#include "api/volumes.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "core/core.h"
#include "core/volume.h"
#include "core/volume_backup.h"
#include "spec/portable.h"

#define COMPRESSION_DEFAULT "zstd"

/* ---- the index ---- */

static void write_item(struct jsonw *w, const char *name, const char *description,
		       int64_t created_wall_ns)
{
	jsonw_add_str(w, "name", name);
	jsonw_add_str(w, "description", description ? description : "");
	jsonw_add_str(w, "content_type", "filesystem");
	write_time(w, "created_at", created_wall_ns);
}

static void write_index(struct jsonw *w, const struct volume *volume, bool snapshots)
{
	const struct volume_record *record = volume->record;

	jsonw_begin_object(w);
	jsonw_add_str(w, "name", record->name);
	jsonw_add_str(w, "backend", "dir");
	jsonw_add_str(w, "pool", record->pool);
	jsonw_add_bool(w, "optimized", false);
	jsonw_add_bool(w, "optimized_header", false);
	jsonw_add_str(w, "type", "custom");
	jsonw_add_array(w, "snapshots");
	vec_for_each(snap, &volume->snapshots)
		if (snapshots)
			jsonw_str(w, (*snap)->name);
	jsonw_end_array(w);
	jsonw_add_object(w, "config");
	jsonw_add_object(w, "volume");
	write_item(w, record->name, record->description, record->created_wall_ns);
	jsonw_add_str(w, "type", "custom");
	jsonw_add_strmap(w, "config", &record->config);
	jsonw_end_object(w);
	jsonw_add_array(w, "volume_snapshots");
	vec_for_each(snap, &volume->snapshots) {
		if (!snapshots)
			continue;
		jsonw_begin_object(w);
		write_item(w, (*snap)->name, (*snap)->description, (*snap)->created_wall_ns);
		write_expiry(w, (*snap)->expires_wall_ns);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
	jsonw_end_object(w);
	jsonw_end_object(w);
}

static char *index_of(const struct volume *volume, bool snapshots)
{
	_cleanup_(json_decrefp) json_t *value = NULL;
	struct buf json = { 0 }, yaml = { 0 };
	struct jsonw w = jsonw_new(&json);

	write_index(&w, volume, snapshots);
	if (json_parse(json.data, json.len, &value, NULL) == 0) {
		portable_encode(value);
		yaml_emit(value, &yaml);
	}
	buf_done(&json);
	return buf_take_str(&yaml);
}

/* ---- export ---- */

static void export(struct api_req *req, struct volume *volume, bool alone, const char *compression)
{
	struct volume_export export = { .index = index_of(volume, !alone),
					.compression = xstrdup(compression),
					.alone = alone };
	struct op *op;
	int fd;

	if (volume_export(volume, &export, &fd, &op, &req->err) < 0)
		reply_error(req);
	else
		reply_op_pipe(req, op, fd);
}

void volume_export_get(struct api_req *req)
{
	const char *compression = api_query(req, "compression");
	const char *only = api_query(req, "volume_only");
	struct volume *volume = NULL;
	bool alone = false;
	int r = api_find_volume(req, &volume);

	if (r == 0 && *only && parse_bool(only, &alone) < 0)
		r = err_kind(&req->err, ERR_INVALID, "volume_only: \"%s\" is no boolean", only);
	if (r < 0)
		reply_error(req);
	else
		export(req, volume, alone,
		       str_empty(compression) ? COMPRESSION_DEFAULT : compression);
}

/* ---- backups ---- */

static void write_backup(struct jsonw *w, const struct backup_record *backup)
{
	jsonw_begin_object(w);
	jsonw_add_str(w, "name", backup->name);
	write_time(w, "created_at", backup->created_wall_ns);
	write_expiry(w, backup->expires_wall_ns);
	jsonw_add_bool(w, "volume_only", backup->instance_only);
	jsonw_add_bool(w, "optimized_storage", false);
	jsonw_add_str(w, "compression_algorithm", backup->compression);
	jsonw_end_object(w);
}

void volume_backups_list(struct api_req *req)
{
	struct volume *volume = NULL;

	if (api_find_volume(req, &volume) < 0) {
		reply_error(req);
		return;
	}
	volume_backups_expire(volume);
	jsonw_begin_array(&req->json);
	vec_for_each(backup, &volume->backups) {
		_cleanup_(freep) char *collection =
			xasprintf("storage-pools/%s/volumes/custom", volume->record->pool);

		if (api_recursion(req) > 0)
			write_backup(&req->json, *backup);
		else
			write_url_below(&req->json, collection, volume->record->name, "backups",
					(*backup)->name);
	}
	jsonw_end_array(&req->json);
	reply_sync(req);
}

static int find(struct api_req *req, struct volume **ret_volume, struct backup_record **ret_backup)
{
	int r = api_find_volume(req, ret_volume);

	return r < 0 ? r : volume_backup_find(*ret_volume, req->args[3], ret_backup, &req->err);
}

void volume_backup_get(struct api_req *req)
{
	struct backup_record *backup;
	struct volume *volume = NULL;
	int r = find(req, &volume, &backup);

	if (r == 0)
		write_backup(&req->json, backup);
	reply_result(req, r);
}

void volume_backup_export(struct api_req *req)
{
	struct backup_record *backup;
	struct volume *volume = NULL;

	if (find(req, &volume, &backup) < 0)
		reply_error(req);
	else
		export(req, volume, backup->instance_only, backup->compression);
}

static int read_of_volume(const json_t *body, struct backup_record *backup, struct err *err)
{
	int r = json_check(body, "b:volume_only", err);

	backup->instance_only = json_bool(body, "volume_only", false);
	return r < 0 ? r : read_backup(body, backup, err);
}

void volume_backups_post(struct api_req *req)
{
	_cleanup_(backup_record_freep) struct backup_record *given =
		backup_record_new(json_str(req->body, "name", ""));
	const struct backup_record *backup;
	struct volume *volume = NULL;
	int r = api_find_volume(req, &volume);

	if (r == 0)
		r = read_of_volume(req->body, given, &req->err);
	if (r == 0)
		r = volume_backup_create(volume, given, &backup, &req->err);
	if (r < 0)
		reply_error(req);
	else
		reply_backup_op(req, "Backing up storage volume", "storage_volumes", backup->name);
}

void volume_backup_remove(struct api_req *req)
{
	struct volume *volume = NULL;
	int r = api_find_volume(req, &volume);

	if (r == 0)
		r = volume_backup_delete(volume, req->args[3], &req->err);
	if (r < 0)
		reply_error(req);
	else
		reply_backup_op(req, "Deleting storage volume backup", "storage_volumes",
				req->args[3]);
}

/* ---- import ---- */

void import_volume(struct api_req *req)
{
	const char *name = api_file_header(req, "name");
	struct op *op;
	int body_fd;

	if (volume_import(req->core, req->args[0], str_empty(name) ? NULL : name, &body_fd, &op,
			  &req->err) < 0)
		reply_error(req);
	else
		reply_op_upload(req, op, body_fd);
}

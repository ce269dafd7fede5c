/*
 * api/volume_export.c - custom volumes to backups and back: .../volumes/custom/{volume}/export, and
 * uploads
 */
#include "api/backups.h"
#include "api/handlers.h"
#include "api/instance_export.h"
#include "api/objects.h"
#include "api/snapshots.h"
#include "api/volumes.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/volume.h"
#include "core/volume_move.h"

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
	struct buf json = { 0 };
	struct jsonw w = jsonw_new(&json);

	write_index(&w, volume, snapshots);
	return export_yaml(&json, true);
}

/* ---- export ---- */

void export_volume(struct api_req *req, struct volume *volume, bool alone, const char *compression)
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
	struct volume *volume = NULL;
	const char *compression;
	bool alone;
	int r = api_find_volume(req, &volume);

	if (r == 0)
		r = read_export_query(req, "volume_only", &alone, &compression);
	if (r < 0)
		reply_error(req);
	else
		export_volume(req, volume, alone, compression);
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

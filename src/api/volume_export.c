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

/* What only matters where the directories are is in its side file (@side): spec/backup.h. */
static void write_snap(struct jsonw *w, const struct volume_snap *snap, bool side)
{
	jsonw_begin_object(w);
	write_item(w, snap->name, snap->description, snap->created_wall_ns);
	write_expiry(w, snap->expires_wall_ns);
	if (side) {
		jsonw_add_bool(w, "scheduled", snap->scheduled);
		jsonw_add_i64(w, "size", (int64_t)snap->size_bytes);
	}
	jsonw_end_object(w);
}

static void write_config(struct jsonw *w, const struct volume *volume, bool snapshots, bool side)
{
	const struct volume_record *record = volume->record;

	jsonw_add_object(w, "config");
	jsonw_add_object(w, "volume");
	write_item(w, record->name, record->description, record->created_wall_ns);
	jsonw_add_str(w, "type", "custom");
	jsonw_add_strmap(w, "config", &record->config);
	jsonw_end_object(w);
	jsonw_add_array(w, "volume_snapshots");
	vec_for_each(snap, &volume->snapshots)
		if (snapshots)
			write_snap(w, *snap, side);
	jsonw_end_array(w);
	jsonw_end_object(w);
}

static void write_index_members(struct jsonw *w, const struct volume *volume, bool snapshots,
				bool side)
{
	jsonw_add_str(w, "name", volume->record->name);
	jsonw_add_str(w, "backend", "dir");
	jsonw_add_str(w, "pool", volume->record->pool);
	jsonw_add_bool(w, "optimized", false);
	jsonw_add_bool(w, "optimized_header", false);
	jsonw_add_str(w, "type", "custom");
	jsonw_add_array(w, "snapshots");
	vec_for_each(snap, &volume->snapshots)
		if (snapshots)
			jsonw_str(w, (*snap)->name);
	jsonw_end_array(w);
	write_config(w, volume, snapshots, side);
}

static char *index_of(const struct volume *volume, bool snapshots)
{
	struct buf json = { 0 };
	struct jsonw w = jsonw_new(&json);

	jsonw_begin_object(&w);
	write_index_members(&w, volume, snapshots, false);
	jsonw_end_object(&w);
	return export_yaml(&json, true);
}

char *volume_side_text(const struct volume *volume)
{
	struct buf json = { 0 };
	struct jsonw w = jsonw_new(&json);

	jsonw_begin_object(&w);
	write_index_members(&w, volume, true, true);
	jsonw_add_object(&w, "volumes");
	vec_for_each(snap, &volume->snapshots)
		jsonw_add_str(&w, (*snap)->name, (*snap)->volume);
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	return export_yaml(&json, false);
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

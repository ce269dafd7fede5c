/*
 * api/instance_export.c - see instance_export.h; and GET /1.0/instances/{name}/export
 *
 * The backups of LXD and Incus are files on the server first; here nothing is stored. The tarball is
 * theirs. A backup that could not be finished breaks the connection, so that nobody takes it for
 * whole.
 */
#include "api/instance_export.h"

#include <stdlib.h>

#include "api/api.h"
#include "api/backups.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "api/snapshots.h"
#include "api/volumes.h"
#include "base/mem.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/inst_move.h"
#include "core/op.h"
#include "core/pool.h"
#include "spec/portable.h"

static void write_volume(struct jsonw *w, const struct inst *inst)
{
	jsonw_add_object(w, "volume");
	jsonw_add_str(w, "name", inst->record->name);
	jsonw_add_str(w, "type", "container");
	jsonw_add_str(w, "content_type", "filesystem");
	jsonw_add_str(w, "description", "");
	jsonw_add_str(w, "location", "none");
	jsonw_add_object(w, "config");
	jsonw_end_object(w);
	jsonw_add_array(w, "used_by");
	jsonw_end_array(w);
	write_time(w, "created_at", inst->record->created_wall_ns);
	jsonw_end_object(w);
}

/* What "backup/container/backup.yaml" holds, and the index as its "config". */
static void write_config_members(struct jsonw *w, const struct inst *inst)
{
	struct core *core = inst->core;
	struct pool_record *pool = NULL;

	jsonw_key(w, "container");
	write_instance(w, inst);
	if (pool_find(core, inst->record->pool, &pool, NULL) == 0) {
		jsonw_key(w, "pool");
		write_pool(w, core, pool);
	}
	jsonw_add_array(w, "profiles");
	for (char **name = inst->record->profiles; name && *name; name++)
		if (strmap_has(&core->profiles, *name))
			write_profile(w, core, strmap_get(&core->profiles, *name));
	jsonw_end_array(w);
	write_volume(w, inst);
}

static void write_backup(struct jsonw *w, const struct inst *inst, bool snapshots)
{
	jsonw_begin_object(w);
	write_config_members(w, inst);
	if (snapshots)
		write_snapshots(w, inst);
	jsonw_end_object(w);
}

static void write_index_members(struct jsonw *w, const struct inst *inst, bool snapshots)
{
	jsonw_add_str(w, "name", inst->record->name);
	jsonw_add_str(w, "backend", "dir");
	jsonw_add_str(w, "pool", inst->record->pool);
	jsonw_add_bool(w, "optimized", false);
	jsonw_add_bool(w, "optimized_header", false);
	jsonw_add_str(w, "type", "container");
	if (snapshots) {
		jsonw_add_array(w, "snapshots");
		vec_for_each(snapshot, &inst->snapshots)
			jsonw_str(w, (*snapshot)->name);
		jsonw_end_array(w);
	}
	jsonw_key(w, "config");
	write_backup(w, inst, snapshots);
}

static void write_index(struct jsonw *w, const struct inst *inst, bool snapshots)
{
	jsonw_begin_object(w);
	write_index_members(w, inst, snapshots);
	jsonw_end_object(w);
}

static void write_image_of(struct jsonw *w, const char *key, const struct inst_record *record)
{
	if (record->image_fingerprint)
		jsonw_add_str(w, key, record->image_fingerprint);
}

/* What only matters where the volumes are: spec/backup.h. */
static void write_side(struct jsonw *w, const struct inst *inst, bool snapshots)
{
	jsonw_begin_object(w);
	write_index_members(w, inst, snapshots);
	jsonw_add_object(w, "volumes");
	vec_for_each(snapshot, &inst->snapshots)
		jsonw_add_str(w, (*snapshot)->name, (*snapshot)->volume);
	jsonw_end_object(w);
	jsonw_add_object(w, "images");
	write_image_of(w, "", inst->record);
	vec_for_each(snapshot, &inst->snapshots)
		write_image_of(w, (*snapshot)->name, (*snapshot)->inst);
	jsonw_end_object(w);
	jsonw_end_object(w);
}

char *export_yaml(struct buf *json, bool portable)
{
	_cleanup_(json_decrefp) json_t *value = NULL;
	struct buf yaml = { 0 };

	if (json_parse(json->data, json->len, &value, NULL) == 0) {
		if (portable)
			portable_encode(value);
		yaml_emit(value, &yaml);
	}
	buf_done(json);
	return buf_take_str(&yaml);
}

/* The YAML of what @write writes; owned. @portable: for others, too. */
static char *to_yaml(const struct inst *inst, bool snapshots, bool portable,
		     void (*write)(struct jsonw *w, const struct inst *inst, bool snapshots))
{
	struct buf json = { 0 };
	struct jsonw w = jsonw_new(&json);

	write(&w, inst, snapshots);
	return export_yaml(&json, portable);
}

static char *side_text(const struct inst *inst)
{
	return to_yaml(inst, true, false, write_side);
}

const struct side_texts api_side_texts = { side_text, volume_side_text };

static int start(struct api_req *req, struct inst *inst, struct inst_export *export, int *ret_fd,
		 struct op **ret_op)
{
	if (inst->snapshots.len == 0)
		export->instance_only = true;
	export->index = to_yaml(inst, !export->instance_only, true, write_index);
	export->backup = to_yaml(inst, !export->instance_only, true, write_backup);
	return inst_export(inst, export, ret_fd, ret_op, &req->err);
}

void export_instance(struct api_req *req, struct inst *inst, bool instance_only,
		     const char *compression)
{
	struct inst_export *export = xcalloc(1, sizeof(*export));
	struct op *op;
	int fd;

	export->instance_only = instance_only;
	export->compression = xstrdup(compression);
	if (start(req, inst, export, &fd, &op) < 0) {
		reply_error(req);
		return;
	}
	reply_op_pipe(req, op, fd);
}

void instance_export(struct api_req *req)
{
	const char *compression;
	struct inst *inst;
	bool alone;
	int r = inst_find(req->core, req->args[0], &inst, &req->err);

	if (r == 0)
		r = read_export_query(req, "instance_only", &alone, &compression);
	if (r < 0)
		reply_error(req);
	else
		export_instance(req, inst, alone, compression);
}

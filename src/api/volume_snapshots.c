/* api/volume_snapshots.c - /1.0/storage-pools/{pool}/volumes/custom/{volume}/snapshots */
#include <stdlib.h>

#include "api/handlers.h"
#include "api/objects.h"
#include "api/snapshots.h"
#include "api/volumes.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "core/inst.h"
#include "core/snapshot.h"
#include "core/volume.h"

/* @name: in lists that of the volume is before it, and never is null, as clients have it. */
static void write_snap(struct jsonw *w, const struct volume_snap *snap, const char *name,
		       bool in_list)
{
	static const struct strmap none = { 0 };

	jsonw_begin_object(w);
	jsonw_add_str(w, "name", name);
	jsonw_add_str(w, "description", snap->description ? snap->description : "");
	jsonw_add_str(w, "content_type", "filesystem");
	jsonw_add_strmap(w, "config", &none);
	write_time(w, "created_at", snap->created_wall_ns);
	if (in_list && snap->expires_wall_ns == 0)
		jsonw_add_null(w, "expires_at");
	else
		write_expiry(w, snap->expires_wall_ns);
	jsonw_add_bool(w, "scheduled", snap->scheduled);
	jsonw_add_i64(w, "size", (int64_t)snap->size_bytes);
	jsonw_end_object(w);
}

static void list_one(struct api_req *req, const struct volume_snap *snap)
{
	_cleanup_(freep) char *name = xasprintf("%s/%s", req->args[2], snap->name);
	_cleanup_(freep) char *collection =
		xasprintf("storage-pools/%s/volumes/%s", req->args[0], req->args[1]);

	if (api_recursion(req) > 0)
		write_snap(&req->json, snap, name, true);
	else
		write_url_below(&req->json, collection, req->args[2], "snapshots", snap->name);
}

/* Those of the instance, which are made and removed there. */
static void list_of_root(struct api_req *req, const struct inst *inst)
{
	vec_for_each(snapshot, &inst->snapshots)
		list_one(req, &(struct volume_snap){
				      .name = (*snapshot)->name,
				      .created_wall_ns = (*snapshot)->created_wall_ns,
				      .expires_wall_ns = (*snapshot)->expires_wall_ns,
				      .scheduled = (*snapshot)->scheduled,
				      .size_bytes = (*snapshot)->size_bytes,
			      });
}

static void list_of_volume(struct api_req *req, const struct volume *volume)
{
	vec_for_each(snap, &volume->snapshots)
		list_one(req, *snap);
}

void volume_snaps_list(struct api_req *req)
{
	struct volume *volume = NULL;
	struct inst *inst = NULL;
	int r = streq(req->args[1], "container") ? api_find_root(req, &inst)
						 : api_find_volume(req, &volume);

	if (r < 0) {
		reply_error(req);
		return;
	}
	jsonw_begin_array(&req->json);
	if (inst)
		list_of_root(req, inst);
	else
		list_of_volume(req, volume);
	jsonw_end_array(&req->json);
	reply_sync(req);
}

static int find(struct api_req *req, struct volume **ret_volume, struct volume_snap **ret_snap)
{
	int r = api_find_volume(req, ret_volume);

	return r < 0 ? r : volume_find_snap(*ret_volume, req->args[3], ret_snap, &req->err);
}

static void snap_etag(const struct volume_snap *snap, struct etag *etag)
{
	char text[FMT_TIME_LEN];

	etag_add_str(etag, snap->name);
	etag_add_str(etag, snap->description);
	etag_add_str(etag, fmt_time(text, snap->expires_wall_ns));
}

void volume_snap_get(struct api_req *req)
{
	struct volume_snap *snap = NULL;
	struct volume *volume = NULL;
	struct etag etag = { 0 };

	if (find(req, &volume, &snap) < 0) {
		reply_error(req);
		return;
	}
	snap_etag(snap, &etag);
	api_set_etag(req, &etag);
	write_snap(&req->json, snap, snap->name, false);
	reply_sync(req);
}

void volume_snaps_post(struct api_req *req)
{
	struct snapshot_request request = { .name = json_str(req->body, "name", "") };
	struct volume *volume = NULL;
	struct op *op = NULL;
	int r = json_check(req->body, "s:name s:description s:expires_at", &req->err);

	if (r == 0)
		r = api_find_volume(req, &volume);
	if (r == 0)
		r = read_expiry(req->body, &request.expires_wall_ns, &req->err);
	request.has_expiry = r > 0;
	if (r >= 0)
		r = volume_snap_create(volume, &request, json_str(req->body, "description", ""),
				       &op, &req->err);
	reply_op_result(req, r, op);
}

/* Left out it stays as it is. */
static int read_snap(const json_t *body, struct volume_snap *snap, struct err *err)
{
	int64_t expires;
	int r = json_check(body, "s:description s:expires_at", err);

	if (r == 0)
		r = read_expiry(body, &expires, err);
	if (r < 0)
		return r;
	if (r > 0)
		snap->expires_wall_ns = expires;
	if (json_get(body, "description"))
		replace_str(&snap->description, json_str(body, "description", ""));
	return 0;
}

static void edit(struct api_req *req)
{
	_cleanup_(volume_snap_freep) struct volume_snap *edited = NULL;
	struct volume_snap *snap = NULL;
	struct volume *volume = NULL;
	struct etag etag = { 0 };
	int r = find(req, &volume, &snap);

	if (r == 0) {
		snap_etag(snap, &etag);
		r = api_check_etag(req, &etag);
	}
	if (r == 0) {
		edited = volume_snap_copy(snap);
		r = read_snap(req->body, edited, &req->err);
	}
	if (r == 0)
		r = volume_snap_edit(volume, req->args[3], edited, &req->err);
	reply_result(req, r);
}

void volume_snap_put(struct api_req *req)
{
	edit(req);
}

void volume_snap_patch(struct api_req *req)
{
	edit(req);
}

void volume_snap_post(struct api_req *req)
{
	_cleanup_(volume_snap_freep) struct volume_snap *edited = NULL;
	struct volume_snap *snap = NULL;
	struct volume *volume = NULL;
	int r = json_check(req->body, "s:name b:migration", &req->err);

	if (r == 0 && json_bool(req->body, "migration", false))
		r = err_kind(&req->err, ERR_UNSUPPORTED, "snapshots are not sent to other servers");
	if (r == 0)
		r = find(req, &volume, &snap);
	if (r == 0) {
		edited = volume_snap_copy(snap);
		replace_str(&edited->name, json_str(req->body, "name", ""));
		r = volume_snap_edit(volume, req->args[3], edited, &req->err);
	}
	if (r < 0)
		reply_error(req);
	else
		reply_done_op(req, "Renaming storage volume snapshot", "");
}

void volume_snap_remove(struct api_req *req)
{
	char *names[] = { req->args[3], NULL };
	struct volume *volume = NULL;
	struct op *op = NULL;
	int r = api_find_volume(req, &volume);

	if (r == 0)
		r = volume_snaps_delete(volume, names, &op, &req->err);
	reply_op_result(req, r, op);
}

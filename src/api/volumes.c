/* api/volumes.c - /1.0/storage-pools/{pool}/volumes: custom ones; those of others are only shown */
#include "api/volumes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/instance_import.h"
#include "api/objects.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "codec/json.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/pool.h"
#include "core/usage.h"
#include "core/volume.h"
#include "spec/filter.h"
#include "spec/image.h"

/* One volume of any type, as lists and filters see it. */
struct view {
	const char *pool, *type, *name;
	const char *description;
	int64_t created_wall_ns;
	const struct strmap *config;
	const struct volume *custom; /* NULL: it belongs to what has its name */
	const char *owners;	     /* that: "instances" */
};

/* ---- objects ---- */

static void write_users(struct jsonw *w, const struct view *view)
{
	struct volume_users users;

	if (!view->custom) {
		write_url(w, view->owners, view->name);
		return;
	}
	volume_get_users(view->custom, &users);
	for (char **name = users.instances; name && *name; name++)
		write_url(w, "instances", *name);
	for (char **name = users.profiles; name && *name; name++)
		write_url(w, "profiles", *name);
	volume_users_done(&users);
}

static void write_view(struct jsonw *w, const struct view *view)
{
	static const struct strmap none = { 0 };

	jsonw_begin_object(w);
	jsonw_add_str(w, "name", view->name);
	jsonw_add_str(w, "type", view->type);
	jsonw_add_str(w, "content_type", "filesystem");
	jsonw_add_str(w, "description", view->description ? view->description : "");
	jsonw_add_strmap(w, "config", view->config ? view->config : &none);
	jsonw_add_array(w, "used_by");
	write_users(w, view);
	jsonw_end_array(w);
	jsonw_add_str(w, "location", "");
	jsonw_add_str(w, "project", "default");
	write_time(w, "created_at", view->created_wall_ns);
	jsonw_end_object(w);
}

static struct view view_of(const struct volume *volume)
{
	const struct volume_record *record = volume->record;

	return (struct view){ .pool = record->pool,
			      .type = "custom",
			      .name = record->name,
			      .description = record->description,
			      .created_wall_ns = record->created_wall_ns,
			      .config = &record->config,
			      .custom = volume };
}

static struct view view_of_inst(const struct inst *inst)
{
	return (struct view){ .pool = inst->record->pool,
			      .type = "container",
			      .name = inst->record->name,
			      .description = inst->record->description,
			      .created_wall_ns = inst->record->created_wall_ns,
			      .owners = "instances" };
}

/* ---- lists ---- */

struct listing {
	struct api_req *req;
	struct filter *filter;
	const char *pool;
	const char *type; /* "": all */
};

static const char *filter_field(void *object, const char *field)
{
	const struct view *view = object;
	const char *key = str_after(field, "config.");

	if (key)
		return view->config ? strmap_get(view->config, key) : NULL;
	if (streq(field, "name"))
		return view->name;
	if (streq(field, "type"))
		return view->type;
	if (streq(field, "description"))
		return view->description ? view->description : "";
	return streq(field, "content_type") ? "filesystem" : NULL;
}

static void list_one(const struct listing *listing, struct view view)
{
	_cleanup_(freep) char *collection =
		xasprintf("storage-pools/%s/volumes/%s", listing->pool, view.type);

	if (!streq(view.pool, listing->pool) ||
	    (!str_empty(listing->type) && !streq(view.type, listing->type)) ||
	    !filter_match(listing->filter, filter_field, &view))
		return;
	if (api_recursion(listing->req) > 0)
		write_view(&listing->req->json, &view);
	else
		write_url(&listing->req->json, collection, view.name);
}

static void list_images(const struct listing *listing)
{
	_cleanup_(freep) char *prefix = xasprintf("%s/", listing->pool);
	struct core *core = listing->req->core;

	strmap_for_each(entry, &core->image_volumes)
	{
		const char *fingerprint = str_after(entry->key, prefix);
		const struct image_record *image =
			fingerprint ? strmap_get(&core->images, fingerprint) : NULL;
		struct view view = { .pool = listing->pool,
				     .type = "image",
				     .name = fingerprint,
				     .owners = "images" };

		if (!fingerprint)
			continue;
		view.created_wall_ns = image ? image->uploaded_wall_ns : 0;
		list_one(listing, view);
	}
}

static void list(struct api_req *req, const char *type)
{
	_cleanup_(filter_freep) struct filter *filter = NULL;
	struct listing listing = { .req = req, .pool = req->args[0], .type = type };
	struct pool_record *pool = NULL;

	if (pool_find(req->core, req->args[0], &pool, &req->err) < 0 ||
	    filter_parse(api_query(req, "filter"), &filter, &req->err) < 0) {
		reply_error(req);
		return;
	}
	listing.filter = filter;
	jsonw_begin_array(&req->json);
	strmap_for_each(entry, &req->core->instances)
		list_one(&listing, view_of_inst(entry->value));
	strmap_for_each(entry, &req->core->volumes)
	{
		const struct volume *volume = entry->value;

		if (volume->stored)
			list_one(&listing, view_of(volume));
	}
	list_images(&listing);
	jsonw_end_array(&req->json);
	reply_sync(req);
}

void volumes_list(struct api_req *req)
{
	list(req, "");
}

void volumes_list_type(struct api_req *req)
{
	static const char *const types[] = { "container", "custom", "image", "virtual-machine",
					     NULL };

	if (strv_contains(types, req->args[1])) {
		list(req, req->args[1]);
		return;
	}
	(void)err_kind(&req->err, ERR_INVALID, "unknown volume type \"%s\"", req->args[1]);
	reply_error(req);
}

/* ---- one ---- */

int api_find_volume(struct api_req *req, struct volume **ret_volume)
{
	if (!streq(req->args[1], "custom"))
		return err_kind(
			&req->err, ERR_UNSUPPORTED,
			"volumes of type \"%s\" belong to instances and images: only custom "
			"ones are handled here",
			req->args[1]);
	return volume_find(req->core, req->args[0], req->args[2], ret_volume, &req->err);
}

static void volume_etag(const struct volume *volume, struct etag *etag)
{
	etag_add_str(etag, volume->record->name);
	etag_add_str(etag, volume->record->description);
	etag_add_map(etag, &volume->record->config);
}

int api_find_root(struct api_req *req, struct inst **ret_inst)
{
	struct inst *inst = NULL;
	int r = inst_find(req->core, req->args[2], &inst, &req->err);

	if (r == 0 && !streq(inst->record->pool, req->args[0]))
		r = err_kind(&req->err, ERR_NOT_FOUND, "Storage volume not found: \"%s\"",
			     req->args[2]);
	if (r == 0)
		*ret_inst = inst;
	return r;
}

/* The root of an instance; the rest of it is at /1.0/instances. */
static void get_container(struct api_req *req)
{
	struct inst *inst = NULL;
	struct view view;
	int r = api_find_root(req, &inst);

	if (r == 0) {
		view = view_of_inst(inst);
		write_view(&req->json, &view);
	}
	reply_result(req, r);
}

static void get_image(struct api_req *req)
{
	_cleanup_(freep) char *key = xasprintf("%s/%s", req->args[0], req->args[2]);
	const struct image_record *image = strmap_get(&req->core->images, req->args[2]);
	const struct view view = { .pool = req->args[0],
				   .type = "image",
				   .name = req->args[2],
				   .created_wall_ns = image ? image->uploaded_wall_ns : 0,
				   .owners = "images" };
	int r = strmap_has(&req->core->image_volumes, key)
			? 0
			: err_kind(&req->err, ERR_NOT_FOUND, "Storage volume not found: \"%s\"",
				   req->args[2]);

	if (r == 0)
		write_view(&req->json, &view);
	reply_result(req, r);
}

void volume_get(struct api_req *req)
{
	struct volume *volume = NULL;
	struct etag etag = { 0 };
	struct view view;

	if (streq(req->args[1], "container")) {
		get_container(req);
	} else if (streq(req->args[1], "image")) {
		get_image(req);
	} else if (api_find_volume(req, &volume) < 0) {
		reply_error(req);
	} else {
		volume_etag(volume, &etag);
		api_set_etag(req, &etag);
		view = view_of(volume);
		write_view(&req->json, &view);
		reply_sync(req);
	}
}

/* ---- making ---- */

static int read_record(const json_t *body, struct volume_record *record, struct err *err)
{
	int r = json_check(body, "s:name s:description o:config", err);

	if (r == 0)
		r = json_strmap(body, "config", &record->config, err);
	if (json_get(body, "description"))
		replace_str(&record->description, json_str(body, "description", ""));
	return r;
}

/* "v1", or "v1/snap0". */
static int read_origin(const struct api_req *req, struct volume_origin *origin, char **ret_name,
		       struct err *err)
{
	const json_t *source = json_get_object(req->body, "source");
	const char *type = json_str(source, "type", ""), *name = json_str(source, "name", "");
	char *slash;

	if (str_empty(type) || streq(type, "none"))
		return 0;
	if (!streq(type, "copy"))
		return err_kind(err, ERR_UNSUPPORTED,
				"source type \"%s\" is not offered for volumes; copy is", type);
	if (json_bool(source, "refresh", false))
		return err_kind(err, ERR_UNSUPPORTED, "volumes are copied anew, not refreshed");
	if (str_empty(name))
		return err_kind(err, ERR_INVALID, "source: name is missing");
	*ret_name = xstrdup(name);
	slash = strchr(*ret_name, '/');
	if (slash)
		*slash = '\0';
	origin->pool = json_str(source, "pool", "");
	if (str_empty(origin->pool))
		origin->pool = req->args[0];
	origin->name = *ret_name;
	origin->snapshot = slash ? slash + 1 : NULL;
	origin->alone = json_bool(source, "volume_only", false);
	return 0;
}

static int check_new(const struct api_req *req, const char *type, struct err *err)
{
	const char *content = json_str(req->body, "content_type", "");

	if (!streq(type, "custom"))
		return err_kind(err, ERR_INVALID, "volumes of type \"%s\" cannot be made", type);
	if (!str_empty(content) && !streq(content, "filesystem"))
		return err_kind(err, ERR_UNSUPPORTED,
				"content type \"%s\" is not offered; filesystem is", content);
	return json_check(req->body, "s:type s:content_type o:source", err);
}

/* An empty one is there with the answer, a copy has an operation. */
static void create(struct api_req *req, const char *type)
{
	_cleanup_(volume_record_freep) struct volume_record *record =
		volume_record_new(req->args[0], json_str(req->body, "name", ""));
	_cleanup_(freep) char *name = NULL;
	struct volume_origin origin = { 0 };
	struct op *op = NULL;
	int r = check_new(req, type, &req->err);

	if (r == 0)
		r = read_record(req->body, record, &req->err);
	if (r == 0)
		r = read_origin(req, &origin, &name, &req->err);
	if (r == 0)
		r = volume_create(req->core, record, &origin, &op, &req->err);
	if (origin.name)
		reply_op_result(req, r, op);
	else
		reply_op_end(req, r, op);
}

void volumes_post(struct api_req *req)
{
	create(req, json_str(req->body, "type", "custom"));
}

static void body_is_there(void *data, struct http_req *http, const struct buf *body)
{
	struct api_req *req = data;

	(void)http;
	if (!body)
		(void)err_kind(&req->err, ERR_INVALID, "request body is larger than %d bytes",
			       HTTP_BODY_BYTES_MAX);
	else if (body->len == 0 || json_parse(body->data, body->len, &req->body, &req->err) == 0) {
		create(req, req->args[1]);
		return;
	}
	reply_error(req);
}

void volumes_post_type(struct api_req *req)
{
	if (is_backup(req) && streq(req->args[1], "custom"))
		import_volume(req);
	else
		http_req_collect(req->http, HTTP_BODY_BYTES_MAX, body_is_there, req);
}

/* ---- changing ---- */

static int find_checked(struct api_req *req, struct volume **ret_volume)
{
	struct etag etag = { 0 };
	int r = api_find_volume(req, ret_volume);

	if (r < 0)
		return r;
	volume_etag(*ret_volume, &etag);
	return api_check_etag(req, &etag);
}

static void edit(struct api_req *req, bool keep)
{
	_cleanup_(volume_record_freep) struct volume_record *record = NULL;
	struct volume *volume = NULL;
	struct op *op = NULL;
	int r = find_checked(req, &volume);

	if (r == 0) {
		record = volume_record_copy(volume->record);
		if (!keep)
			strmap_done(&record->config);
		r = read_record(req->body, record, &req->err);
	}
	if (r == 0)
		r = volume_edit(volume, record, &op, &req->err);
	reply_op_end(req, r, op);
}

static void restore(struct api_req *req)
{
	struct volume *volume = NULL;
	struct op *op = NULL;
	int r = find_checked(req, &volume);

	if (r == 0)
		r = volume_snap_restore(volume, json_str(req->body, "restore", ""), &op, &req->err);
	reply_op_end(req, r, op);
}

void volume_put(struct api_req *req)
{
	if (str_empty(json_str(req->body, "restore", "")))
		edit(req, false);
	else
		restore(req);
}

void volume_patch(struct api_req *req)
{
	edit(req, true);
}

/* What clients send along when they mean more than a name and a pool. */
static int check_move(const struct api_req *req, struct err *err)
{
	const char *project = json_str(req->body, "project", "");

	if (json_bool(req->body, "migration", false))
		return err_kind(err, ERR_UNSUPPORTED, "volumes are not sent to other servers");
	if (!str_empty(project) && !streq(project, "default"))
		return err_kind(err, ERR_NOT_FOUND, "Project not found: \"%s\"", project);
	return 0;
}

/* A rename is done with the answer, a move has an operation. */
void volume_post(struct api_req *req)
{
	const char *pool = json_str(req->body, "pool", ""), *name = json_str(req->body, "name", "");
	bool moves = !str_empty(pool) && !streq(pool, req->args[0]);
	struct volume *volume = NULL;
	struct op *op = NULL;
	int r = json_check(req->body, "s:name s:pool s:project b:migration b:volume_only",
			   &req->err);

	if (r == 0)
		r = api_find_volume(req, &volume);
	if (r == 0)
		r = check_move(req, &req->err);
	if (r == 0 && !moves)
		r = volume_rename(volume, name, &req->err);
	else if (r == 0)
		r = volume_move(volume, pool, str_empty(name) ? req->args[2] : name,
				json_bool(req->body, "volume_only", false), &op, &req->err);
	if (moves)
		reply_op_result(req, r, op);
	else
		reply_result(req, r);
}

void volume_delete_req(struct api_req *req)
{
	struct volume *volume = NULL;
	struct op *op = NULL;
	bool forget = false;
	int r = api_find_volume(req, &volume);

	if (r == 0)
		r = api_query_bool(req, "forget", &forget);
	if (r == 0)
		r = volume_delete(volume, forget, &op, &req->err);
	reply_op_end(req, r, op);
}

/* ---- how much it takes ---- */

static void write_usage(struct api_req *req, const struct root_usage *usage)
{
	jsonw_begin_object(&req->json);
	jsonw_add_object(&req->json, "usage");
	jsonw_add_u64(&req->json, "used", usage->used_bytes);
	jsonw_add_u64(&req->json, "total", usage->limit_bytes);
	jsonw_end_object(&req->json);
	jsonw_end_object(&req->json);
}

static void write_measured(struct api_req *req, struct op *op)
{
	struct root_usage usage = { 0 };
	struct volume *volume = NULL;

	(void)parse_u64(strmap_get(&op->metadata, "size") ?: "0", INT64_MAX, &usage.used_bytes);
	if (streq(req->args[1], "custom") && api_find_volume(req, &volume) == 0)
		usage.limit_bytes = volume_size(volume->record);
	write_usage(req, &usage);
}

static void root_state_get(struct api_req *req)
{
	struct root_usage usage;
	struct inst *inst = NULL;
	struct op *op = NULL;
	int r = api_find_root(req, &inst);

	if (r == 0 && root_usage(inst, &usage) == 0) {
		write_usage(req, &usage);
		reply_sync(req);
		return;
	}
	if (r == 0)
		r = root_measure(inst, &op, &req->err);
	reply_op_end_with(req, r, op, write_measured);
}

void volume_state_get(struct api_req *req)
{
	struct volume *volume = NULL;
	struct op *op = NULL;
	int r;

	if (streq(req->args[1], "container")) {
		root_state_get(req);
		return;
	}
	r = api_find_volume(req, &volume);
	if (r == 0)
		r = volume_measure(volume, &op, &req->err);
	reply_op_end_with(req, r, op, write_measured);
}

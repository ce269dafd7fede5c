/* api/profiles.c - /1.0/profiles */
#include "api/devices_body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "api/preview.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/profile.h"

void write_profile(struct jsonw *w, struct core *core, const struct profile_record *profile)
{
	jsonw_begin_object(w);
	jsonw_add_str(w, "name", profile->name);
	jsonw_add_str(w, "description", profile->description ? profile->description : "");
	jsonw_add_strmap(w, "config", &profile->config);
	write_devices(w, "devices", &profile->devices);
	jsonw_add_array(w, "used_by");
	strmap_for_each(entry,
			&core->instances) if (profile_is_used_by(profile->name, entry->value))
		write_url(w, "instances", entry->key);
	jsonw_end_array(w);
	jsonw_add_str(w, "project", "default");
	jsonw_end_object(w);
}

static int find(struct api_req *req, struct profile_record **ret_profile)
{
	return profile_find(req->core, req->args[0], ret_profile, &req->err);
}

static void profile_etag(const struct profile_record *profile, struct etag *etag)
{
	etag_add_map(etag, &profile->config);
	etag_add_str(etag, profile->description);
	etag_add_devices(etag, &profile->devices);
}

void profiles_list(struct api_req *req)
{
	jsonw_begin_array(&req->json);
	strmap_for_each(entry, &req->core->profiles)
	{
		if (api_recursion(req) > 0)
			write_profile(&req->json, req->core, entry->value);
		else
			write_url(&req->json, "profiles", entry->key);
	}
	jsonw_end_array(&req->json);
	reply_sync(req);
}

void profile_get(struct api_req *req)
{
	struct profile_record *profile;
	struct etag etag = { 0 };

	if (find(req, &profile) < 0) {
		reply_error(req);
		return;
	}
	profile_etag(profile, &etag);
	api_set_etag(req, &etag);
	write_profile(&req->json, req->core, profile);
	reply_sync(req);
}

/* Fill in the members that are present. */
static int read_profile(const json_t *body, struct profile_record *profile, struct err *err)
{
	int r = json_check(body, "s:name s:description o:config o:devices", err);

	if (r == 0)
		r = json_strmap(body, "config", &profile->config, err);
	if (r == 0)
		r = read_devices(body, &profile->devices, err);
	if (json_get(body, "description"))
		replace_str(&profile->description, json_str(body, "description", ""));
	return r;
}

void profiles_post(struct api_req *req)
{
	_cleanup_(profile_record_freep) struct profile_record *profile =
		profile_record_new(json_str(req->body, "name", ""));

	if (read_profile(req->body, profile, &req->err) < 0 ||
	    profile_create(req->core, profile, &req->err) < 0)
		reply_error(req);
	else
		reply_created(req, "profiles", profile->name);
}

/* @keep: what is absent from the body stays (PATCH). */
static void edit(struct api_req *req, bool keep)
{
	_cleanup_(profile_record_freep) struct profile_record *profile = NULL;
	struct profile_record *current = NULL;
	struct changes changes = { 0 };
	struct etag etag = { 0 };
	struct op *op = NULL;
	int r = find(req, &current);

	if (r == 0) {
		profile_etag(current, &etag);
		r = api_check_etag(req, &etag);
	}
	if (r == 0) {
		profile = keep ? profile_record_copy(current) : profile_record_new(current->name);
		r = read_profile(req->body, profile, &req->err);
	}
	if (r == 0 && api_is_dry_run(req)) {
		r = profile_preview(req->core, profile, &changes, &req->err);
		reply_preview(req, r, &changes);
		return;
	}
	if (r == 0)
		r = profile_update(req->core, profile, &op, &req->err);
	reply_op_end(req, r, op);
}

void profile_put(struct api_req *req)
{
	edit(req, false);
}

void profile_patch(struct api_req *req)
{
	edit(req, true);
}

void profile_post(struct api_req *req)
{
	const char *name = json_str(req->body, "name", "");

	if (profile_rename(req->core, req->args[0], name, &req->err) < 0)
		reply_error(req);
	else
		reply_created(req, "profiles", name);
}

void profile_remove(struct api_req *req)
{
	reply_result(req, profile_delete(req->core, req->args[0], &req->err));
}

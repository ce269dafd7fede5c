/* api/preview.c - see preview.h */
#include "api/preview.h"

#include "api/handlers.h"
#include "api/objects.h"
#include "base/str.h"
#include "core/inst.h"
#include "spec/device.h"

bool api_is_dry_run(const struct api_req *req)
{
	const char *word = api_query(req, "dry-run");

	return !str_empty(word) && !streq(word, "0") && !streq(word, "false");
}

void reply_preview(struct api_req *req, int r, struct changes *changes)
{
	struct jsonw *w = &req->json;

	if (r < 0) {
		changes_done(changes);
		reply_error(req);
		return;
	}
	jsonw_begin_object(w);
	jsonw_add_array(w, "changes");
	vec_for_each(change, &changes->list) {
		jsonw_begin_object(w);
		jsonw_add_str(w, "instance", change->instance);
		jsonw_add_str(w, "device", change->device);
		jsonw_add_str(w, "key", change->key);
		jsonw_add_str(w, "from", change->from);
		jsonw_add_str(w, "to", change->to);
		jsonw_add_str(w, "at", change_at_name(change->at));
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
	jsonw_end_object(w);
	changes_done(changes);
	reply_sync(req);
}

/* GET .../origins: the profile, or "instance", that each expanded key has its value from. */
void instance_origins_get(struct api_req *req)
{
	struct expanded origins;
	struct inst *inst;

	if (inst_find(req->core, req->args[0], &inst, &req->err) < 0) {
		reply_error(req);
		return;
	}
	inst_origins(inst, &origins);
	jsonw_begin_object(&req->json);
	jsonw_add_strmap(&req->json, "config", &origins.config);
	write_devices(&req->json, "devices", &origins.devices);
	jsonw_end_object(&req->json);
	expanded_done(&origins);
	reply_sync(req);
}

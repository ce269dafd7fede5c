/* api/warnings.c - /1.0/warnings */
#include <inttypes.h>

#include "api/handlers.h"
#include "api/objects.h"
#include "base/mem.h"
#include "codec/json.h"
#include "core/core.h"
#include "core/warning.h"

void write_warning(struct jsonw *w, const struct warning_record *warning)
{
	_cleanup_(freep) char *url = xasprintf("/1.0/%s", warning->entity);

	jsonw_begin_object(w);
	jsonw_add_str(w, "uuid", warning->uuid);
	jsonw_add_str(w, "type", warning->type);
	jsonw_add_str(w, "status", warning_status_name(warning->status));
	jsonw_add_str(w, "severity", warning_severity_name(warning->severity));
	jsonw_add_u64(w, "count", warning->count);
	jsonw_add_str(w, "project", "");
	jsonw_add_str(w, "location", "none");
	write_time(w, "first_seen_at", warning->first_seen_wall_ns);
	write_time(w, "last_seen_at", warning->last_seen_wall_ns);
	jsonw_add_str(w, "last_message", warning->last_message);
	jsonw_add_str(w, "entity_url", url);
	jsonw_end_object(w);
}

void warnings_list(struct api_req *req)
{
	jsonw_begin_array(&req->json);
	strmap_for_each(entry, &req->core->warnings)
	{
		const struct warning_record *warning = entry->value;

		if (api_recursion(req) > 0)
			write_warning(&req->json, warning);
		else
			write_url(&req->json, "warnings", warning->uuid);
	}
	jsonw_end_array(&req->json);
	reply_sync(req);
}

void warning_get(struct api_req *req)
{
	struct warning_record *warning;

	if (warning_find(req->core, req->args[0], &warning, &req->err) < 0) {
		reply_error(req);
		return;
	}
	write_warning(&req->json, warning);
	reply_sync(req);
}

void warning_put(struct api_req *req)
{
	const char *word = json_str(req->body, "status", "");
	enum warning_status status;
	int r;

	if (warning_status_parse(word, &status) < 0 || status == WARNING_RESOLVED)
		r = err_kind(&req->err, ERR_INVALID,
			     "status \"%s\": new and acknowledged can be set", word);
	else
		r = warning_set_status(req->core, req->args[0], status, &req->err);
	reply_result(req, r);
}

void warning_remove(struct api_req *req)
{
	reply_result(req, warning_delete(req->core, req->args[0], &req->err));
}

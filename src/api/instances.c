/* api/instances.c - /1.0/instances: list, create, read, edit, delete */
#include <stdlib.h>
#include <string.h>

#include "api/devices_body.h"
#include "api/handlers.h"
#include "api/image_source.h"
#include "api/instance_import.h"
#include "api/instance_state.h"
#include "api/objects.h"
#include "api/preview.h"
#include "api/snapshots.h"
#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/url.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/inst_move.h"
#include "core/inst_ops.h"
#include "core/inst_volatile.h"
#include "core/monitor_conn.h"
#include "spec/device.h"
#include "spec/filter.h"

/* ---- list ---- */

static const char *device_field(const struct strmap *devices, const char *field)
{
	_cleanup_(freep) char *name = xstrndup(field, strcspn(field, "."));
	const struct strmap *device = devices_get(devices, name);

	return device && field[strlen(name)] ? device_get(device, field + strlen(name) + 1, NULL)
					     : NULL;
}

static const char *filter_field(void *object, const char *field)
{
	const struct inst *inst = object;
	const char *rest;

	if (streq(field, "name"))
		return inst->record->name;
	if (streq(field, "status"))
		return inst_state_name(inst->state);
	if (streq(field, "type"))
		return "container";
	if (streq(field, "architecture"))
		return inst->record->architecture;
	if (streq(field, "description"))
		return inst->record->description;
	if (streq(field, "ephemeral"))
		return inst->record->ephemeral ? "true" : "false";
	if (streq(field, "location"))
		return "none";
	if (streq(field, "project"))
		return "default";
	if ((rest = str_after(field, "config.")))
		return strmap_get(&inst->record->config, rest);
	if ((rest = str_after(field, "expanded_config.")))
		return strmap_get(&inst->expanded.config, rest);
	if ((rest = str_after(field, "devices.")))
		return device_field(&inst->record->devices, rest);
	if ((rest = str_after(field, "expanded_devices.")))
		return device_field(&inst->expanded.devices, rest);
	return NULL;
}

static void write_listed(struct api_req *req, const struct inst *inst, const struct msg *stats)
{
	switch (api_recursion(req)) {
	case 0:
		write_url(&req->json, req->collection, inst->record->name);
		break;
	case 1:
		write_instance(&req->json, inst);
		break;
	default:
		write_instance_full(&req->json, inst, stats);
	}
}

static void write_list(struct api_req *req, const struct stats_list *list)
{
	jsonw_begin_array(&req->json);
	for (size_t i = 0; i < list->n; i++) {
		const struct inst *inst = strmap_get(&req->core->instances, list->names[i]);

		if (inst && inst->stored)
			write_listed(req, inst, list->answers[i]);
	}
	jsonw_end_array(&req->json);
	reply_sync(req);
}

/* Full objects show usage, which the monitors are asked for, unless the client needs no usage. */
static bool wants_usage(const struct api_req *req)
{
	return api_recursion(req) == 2 && !streq(api_query(req, "usage"), "false");
}

void instances_list(struct api_req *req)
{
	_cleanup_(filter_freep) struct filter *filter = NULL;
	_cleanup_(strv_freep) char **names = NULL;
	_cleanup_(freep) struct msg **no_answers = NULL;
	struct stats_list list = { 0 };

	if (filter_parse(api_query(req, "filter"), &filter, &req->err) < 0) {
		reply_error(req);
		return;
	}
	names = xcalloc(req->core->instances.len + 1, sizeof(char *));
	strmap_for_each(entry, &req->core->instances)
	{
		struct inst *inst = entry->value;

		if (inst->stored && filter_match(filter, filter_field, inst))
			names[list.n++] = xstrdup(entry->key);
	}
	if (wants_usage(req)) {
		stats_gather(req, TAKE_PTR(names), write_list);
		return;
	}
	no_answers = xcalloc(list.n + 1, sizeof(struct msg *));
	list.names = names;
	list.answers = no_answers;
	write_list(req, &list);
}

/* ---- bodies ---- */

static int check_types(const json_t *body, struct err *err)
{
	return json_check(body,
			  "s:name s:description s:architecture s:type b:ephemeral b:start o:config "
			  "o:devices a:profiles o:source s:restore b:disk_only",
			  err);
}

/* Fill the editable members that are present. */
static int read_record(const json_t *body, struct inst_record *record, struct err *err)
{
	int r = check_types(body, err);

	if (r == 0)
		r = json_strmap(body, "config", &record->config, err);
	inst_drop_told(&record->config);
	if (r == 0)
		r = read_devices(body, &record->devices, err);
	if (r < 0)
		return r;
	if (json_get(body, "profiles")) {
		record->profiles = strv_free(record->profiles);
		r = json_strv(body, "profiles", &record->profiles, err);
	}
	record->ephemeral = json_bool(body, "ephemeral", record->ephemeral);
	if (json_get(body, "description"))
		replace_str(&record->description, json_str(body, "description", ""));
	return r;
}

/* ---- create ---- */

static int read_copy_source(const json_t *source, struct inst_create_request *request,
			    struct err *err)
{
	const char *from = json_str(source, "source", ""),
		   *project = json_str(source, "project", "");

	if (!str_empty(project) && !streq(project, "default"))
		return err_kind(err, ERR_NOT_FOUND, "Project not found: \"%s\"", project);
	if (str_empty(from))
		return err_kind(err, ERR_INVALID, "source: the instance to copy is missing");
	request->source = INST_SOURCE_COPY;
	request->copy_from = xstrndup(from, strcspn(from, "/"));
	request->instance_only = json_bool(source, "instance_only", false) ||
				 json_bool(source, "container_only", false);
	request->exclude_older = json_bool(source, "refresh_exclude_older", false);
	if (strchr(from, '/'))
		request->copy_snapshot = xstrdup(strchr(from, '/') + 1);
	return 0;
}

static int read_source(const json_t *body, struct inst_create_request *request, struct err *err)
{
	const json_t *source = json_get_object(body, "source");
	const char *type = json_str(source, "type", "");
	const char *image = json_str(source, "fingerprint", json_str(source, "alias", NULL));

	if (streq(type, "none")) {
		request->source = INST_SOURCE_NONE;
		return 0;
	}
	if (streq(type, "copy"))
		return read_copy_source(source, request, err);
	if (!streq(type, "image"))
		return err_kind(err, ERR_UNSUPPORTED,
				"source type \"%s\" is not offered; copy, image and none are",
				type);
	if (*json_str(source, "server", ""))
		return read_image_source(source, &request->from, err);
	if (str_empty(image))
		return err_kind(err, ERR_INVALID, "source: fingerprint or alias is missing");
	request->image = xstrdup(image);
	return 0;
}

static int read_create(const json_t *body, struct inst_create_request *request, struct err *err)
{
	const char *type = json_str(body, "type", "container");
	int r = read_record(body, request->record, err);

	if (r == 0 && !streq(type, "container") && *type)
		r = err_kind(err, ERR_UNSUPPORTED, "instance type \"%s\" is not offered", type);
	if (r == 0)
		r = read_source(body, request, err);
	request->start = json_bool(body, "start", false);
	request->no_profiles =
		json_is_array(json_get(body, "profiles")) && !request->record->profiles;
	return r;
}

/* A copy that is there already and is to be brought up to date, else NULL. */
static struct inst *find_refreshed(const struct api_req *req,
				   const struct inst_create_request *request)
{
	struct inst *inst = strmap_get(&req->core->instances, request->record->name);

	return request->source == INST_SOURCE_COPY && inst && inst->stored &&
			       json_bool(json_get_object(req->body, "source"), "refresh", false)
		       ? inst
		       : NULL;
}

static void create(struct api_req *req)
{
	struct inst_create_request *request = xcalloc(1, sizeof(*request));
	struct inst *copy = NULL;
	struct op *op = NULL;
	int r;

	request->record = inst_record_new(json_str(req->body, "name", ""));
	r = read_create(req->body, request, &req->err);
	if (r == 0)
		copy = find_refreshed(req, request);
	if (r < 0)
		inst_create_request_free(request);
	else if (copy)
		r = inst_refresh(copy, request, &op, &req->err);
	else
		r = inst_create(req->core, request, &op, &req->err);
	reply_op_result(req, r, op);
}

static void body_is_there(void *data, struct http_req *http, const struct buf *body)
{
	struct api_req *req = data;

	(void)http;
	if (!body)
		(void)err_kind(&req->err, ERR_INVALID, "request body is larger than %d bytes",
			       HTTP_BODY_BYTES_MAX);
	else if (body->len == 0 || json_parse(body->data, body->len, &req->body, &req->err) == 0) {
		create(req);
		return;
	}
	reply_error(req);
}

void instances_post(struct api_req *req)
{
	if (is_backup(req))
		import_backup(req);
	else
		http_req_collect(req->http, HTTP_BODY_BYTES_MAX, body_is_there, req);
}

/* ---- read ---- */

static void add_to_etag(const struct inst *inst, struct etag *etag)
{
	etag_add_str(etag, inst->record->architecture);
	etag_add_map(etag, &inst->record->config);
	etag_add_devices(etag, &inst->record->devices);
	etag_add_bool(etag, inst->record->ephemeral);
	etag_add_strv(etag, inst->record->profiles);
	etag_add_str(etag, inst->record->description);
}

static void write_one(struct api_req *req, const struct stats_list *list)
{
	struct etag etag = { 0 };
	struct inst *inst;

	if (inst_find(req->core, req->args[0], &inst, &req->err) < 0) {
		reply_error(req);
		return;
	}
	add_to_etag(inst, &etag);
	api_set_etag(req, &etag);
	if (api_recursion(req) > 0)
		write_instance_full(&req->json, inst, list->answers[0]);
	else
		write_instance(&req->json, inst);
	reply_sync(req);
}

void instance_get(struct api_req *req)
{
	char **names = NULL;

	if (api_recursion(req) == 0) {
		write_one(req, NULL);
		return;
	}
	strv_push(&names, req->args[0]);
	stats_gather(req, names, write_one);
}

/* ---- edit ---- */

static int find_for_edit(struct api_req *req, struct inst **ret_inst)
{
	struct etag etag = { 0 };
	int r = inst_find(req->core, req->args[0], ret_inst, &req->err);

	if (r < 0)
		return r;
	add_to_etag(*ret_inst, &etag);
	return api_check_etag(req, &etag);
}

/* Asynchronous by contract though it is done at once: a final operation is the answer. */
static enum op_next step_done(struct op *op)
{
	(void)op;
	return OP_NEXT;
}

static const struct op_step update_steps[] = {
	{ "update", step_done, NULL },
	{ 0 },
};
static const struct op_table update_table = { "update", update_steps };

void reply_done_op(struct api_req *req, const char *description, const char *name)
{
	struct op *op = op_new(req->core, OP_TASK, description, NULL, NULL, &req->err);

	if (!op) {
		reply_error(req);
		return;
	}
	if (*name)
		op_add_resource(op, "instances", name);
	op_add_table(op, &update_table);
	op_start(op);
	reply_op(req, op);
}

/* @record: taken. */
static void preview(struct api_req *req, const struct inst *inst, struct inst_record *record)
{
	struct changes changes = { 0 };
	int r = inst_preview(inst, record, &changes, &req->err);

	inst_record_free(record);
	reply_preview(req, r, &changes);
}

/* Read the body over @record (taken), which becomes that of @inst. @reply: how the client waits. */
static void edit(struct api_req *req, struct inst *inst, struct inst_record *record,
		 void (*reply)(struct api_req *req, int r, struct op *op))
{
	struct op *op = NULL;

	if (read_record(req->body, record, &req->err) < 0) {
		inst_record_free(record);
		reply_error(req);
	} else if (api_is_dry_run(req)) {
		preview(req, inst, record);
	} else {
		int r = inst_update(inst, record, &op, &req->err);
		reply(req, r, op);
	}
}

void instance_put(struct api_req *req)
{
	struct inst *inst;

	if (find_for_edit(req, &inst) < 0)
		reply_error(req);
	else if (*json_str(req->body, "restore", ""))
		instance_restore(req, inst);
	else
		edit(req, inst, inst_record_new(inst->record->name), reply_op_result);
}

/* What is absent stays: read over a copy of what is there. */
void instance_patch(struct api_req *req)
{
	struct inst *inst;

	if (find_for_edit(req, &inst) < 0)
		reply_error(req);
	else
		edit(req, inst, inst_record_copy(inst->record), reply_op_end);
}

/* ---- delete, and state of many ---- */

void instance_delete(struct api_req *req)
{
	struct op *op = NULL;
	bool forget = false;
	struct inst *inst;
	int r = inst_find(req->core, req->args[0], &inst, &req->err);

	if (r == 0)
		r = api_query_bool(req, "forget", &forget);
	if (r == 0)
		r = inst_delete(inst, forget, &op, &req->err);
	reply_op_result(req, r, op);
}

void instances_put_state(struct api_req *req)
{
	const json_t *state = json_get_object(req->body, "state");
	enum inst_action action;
	int64_t timeout_s = json_i64(state, "timeout", -1);

	if (inst_action_parse(json_str(state, "action", ""), &action, &req->err) < 0) {
		reply_error(req);
		return;
	}
	strmap_for_each(entry, &req->core->instances)
	{
		struct inst *inst = entry->value;
		bool wanted = action == INST_START	? inst->state == INST_STOPPED
			      : action == INST_UNFREEZE ? inst->state == INST_FROZEN
							: inst->state == INST_RUNNING;
		struct op *op;

		/* Each has its own operation, which says what went wrong there. */
		if (inst->stored && wanted)
			(void)inst_change_state(inst, action, timeout_s,
						json_bool(state, "force", false), &op, NULL);
	}
	reply_done_op(req, "Changing state of all instances", "");
}

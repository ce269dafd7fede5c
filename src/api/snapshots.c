/* api/snapshots.c - /1.0/instances/{name}/snapshots, and restoring from one */
#include <stdlib.h>
#include <string.h>

#include "aio/loop.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "api/snapshots.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/json.h"
#include "codec/url.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/scheduled.h"
#include "core/scheduler.h"
#include "core/snapshot.h"
#include "spec/keys.h"

/* ---- objects ---- */

void write_expiry(struct jsonw *w, int64_t wall_ns)
{
	if (wall_ns > 0)
		write_time(w, "expires_at", wall_ns);
	else
		jsonw_add_str(w, "expires_at", "0001-01-01T00:00:00Z");
}

void write_snapshot(struct jsonw *w, const struct inst *inst, const struct snap_record *snapshot)
{
	const struct inst_record *record = snapshot->inst;
	struct expanded expanded = { 0 };

	inst_expand_with(inst->core, record, NULL, &expanded);
	jsonw_begin_object(w);
	jsonw_add_str(w, "name", snapshot->name);
	jsonw_add_str(w, "architecture", record->architecture);
	jsonw_add_bool(w, "ephemeral", record->ephemeral);
	jsonw_add_bool(w, "stateful", false);
	jsonw_add_bool(w, "scheduled", snapshot->scheduled);
	write_time(w, "created_at", snapshot->created_wall_ns);
	write_expiry(w, snapshot->expires_wall_ns);
	write_time(w, "last_used_at", record->last_used_wall_ns);
	jsonw_add_i64(w, "size", (int64_t)snapshot->size_bytes);
	jsonw_add_strv(w, "profiles", (const char *const *)record->profiles);
	jsonw_add_strmap(w, "config", &record->config);
	write_devices(w, "devices", &record->devices);
	jsonw_add_strmap(w, "expanded_config", &expanded.config);
	write_devices(w, "expanded_devices", &expanded.devices);
	jsonw_end_object(w);
	expanded_done(&expanded);
}

void write_snapshots(struct jsonw *w, const struct inst *inst)
{
	if (!jsonw_wants(w, "snapshots"))
		return;
	if (inst->snapshots.len == 0) {
		jsonw_add_null(w, "snapshots");
		return;
	}
	jsonw_add_array(w, "snapshots");
	vec_for_each(snapshot, &inst->snapshots)
		write_snapshot(w, inst, *snapshot);
	jsonw_end_array(w);
}

/* ---- reading ---- */

void snapshots_list(struct api_req *req)
{
	struct inst *inst;

	if (inst_find(req->core, req->args[0], &inst, &req->err) < 0) {
		reply_error(req);
		return;
	}
	jsonw_begin_array(&req->json);
	vec_for_each(snapshot, &inst->snapshots) {
		if (api_recursion(req) > 0)
			write_snapshot(&req->json, inst, *snapshot);
		else
			write_url_below(&req->json, req->collection, inst->record->name,
					"snapshots", (*snapshot)->name);
	}
	jsonw_end_array(&req->json);
	reply_sync(req);
}

static int find(struct api_req *req, struct inst **ret_inst, struct snap_record **ret_snapshot)
{
	int r = inst_find(req->core, req->args[0], ret_inst, &req->err);

	return r < 0 ? r : snapshot_find(*ret_inst, req->args[1], ret_snapshot, &req->err);
}

static void add_to_etag(const struct snap_record *snapshot, struct etag *etag)
{
	char text[FMT_TIME_LEN];

	etag_add_str(etag, fmt_time(text, snapshot->expires_wall_ns));
}

void snapshot_get(struct api_req *req)
{
	struct snap_record *snapshot;
	struct etag etag = { 0 };
	struct inst *inst;

	if (find(req, &inst, &snapshot) < 0) {
		reply_error(req);
		return;
	}
	add_to_etag(snapshot, &etag);
	api_set_etag(req, &etag);
	write_snapshot(&req->json, inst, snapshot);
	reply_sync(req);
}

/* @named: it is asked for, whatever there is to tell of it. */
static void write_plan(struct jsonw *w, const struct scheduled *one, bool named)
{
	int64_t next = scheduler_next_wall_ns(one);
	int64_t at = next > 0 ? next : aio_wall_now(one->core->loop);
	const char *schedule = keys_get(one->config, "snapshots.schedule", "");
	_cleanup_(strv_freep) char **prune = scheduler_prune_list(one, at);

	if (!named && one->kind->many_without && str_empty(schedule) && !prune)
		return;
	jsonw_begin_object(w);
	jsonw_add_str(w, one->kind->word, one->key);
	jsonw_add_str(w, "schedule", schedule);
	jsonw_add_str(w, "keep", keys_get(one->config, "snapshots.keep", ""));
	if (next > 0)
		write_time(w, "next_run", next);
	else
		jsonw_add_null(w, "next_run");
	jsonw_add_bool(w, "skipped_now", scheduled_is_skipped(one));
	jsonw_add_strv(w, "prune", (const char *const *)prune);
	jsonw_end_object(w);
}

static int write_plan_of(struct api_req *req, const struct scheduled_kind *kind, const char *key)
{
	struct scheduled one;
	void *object = NULL;
	int r = kind->find(req->core, key, &object, &req->err);

	if (r < 0)
		return r;
	one = scheduled_of(kind, req->core, key, object);
	write_plan(&req->json, &one, true);
	return 0;
}

static void write_plans(struct api_req *req, const struct scheduled_kind *kind)
{
	strmap_for_each(entry, kind->all(req->core))
	{
		struct scheduled one = scheduled_of(kind, req->core, entry->key, entry->value);

		if (kind->is_there(entry->value))
			write_plan(&req->json, &one, false);
	}
}

/* ?instance=web1, ?volume=pool/data: that one alone. */
void snapshot_plan_get(struct api_req *req)
{
	const struct scheduled_kind *const *kind;
	bool named = false;
	int r = 0;

	jsonw_begin_array(&req->json);
	for (kind = scheduled_kinds; *kind && r == 0; kind++) {
		const char *key = api_query(req, (*kind)->word);

		named = named || *key;
		r = *key ? write_plan_of(req, *kind, key) : 0;
	}
	for (kind = scheduled_kinds; *kind && !named; kind++)
		write_plans(req, *kind);
	jsonw_end_array(&req->json);
	reply_result(req, r);
}

/* ---- making and changing ---- */

int read_expiry(const json_t *body, int64_t *ret_wall_ns, struct err *err)
{
	const char *text = json_str(body, "expires_at", NULL);

	*ret_wall_ns = 0;
	if (!text)
		return 0;
	if (*text == '\0' || str_after(text, "0001-"))
		return 1;
	if (time_parse_rfc3339(text, ret_wall_ns) < 0)
		return err_kind(err, ERR_INVALID, "expires_at: \"%s\" is no RFC 3339 time", text);
	*ret_wall_ns = MAX(*ret_wall_ns, 0);
	return 1;
}

void snapshots_post(struct api_req *req)
{
	struct snapshot_request request = { .name = json_str(req->body, "name", "") };
	struct op *op = NULL;
	struct inst *inst;
	int r = json_check(req->body, "s:name b:stateful s:expires_at b:replace", &req->err);

	if (r == 0)
		r = inst_find(req->core, req->args[0], &inst, &req->err);
	if (r == 0 && json_bool(req->body, "stateful", false))
		r = err_kind(&req->err, ERR_UNSUPPORTED,
			     "stateful snapshots are not offered: memory is not saved");
	if (r == 0)
		r = read_expiry(req->body, &request.expires_wall_ns, &req->err);
	request.has_expiry = r > 0;
	request.replace = json_bool(req->body, "replace", false);
	if (r >= 0)
		r = snapshot_create(inst, &request, &op, &req->err);
	reply_op_result(req, r, op);
}

static void edit(struct api_req *req)
{
	struct snap_record *snapshot;
	struct etag etag = { 0 };
	struct inst *inst;
	int64_t wall_ns = 0;
	int r = find(req, &inst, &snapshot);

	if (r == 0) {
		add_to_etag(snapshot, &etag);
		r = api_check_etag(req, &etag);
	}
	if (r == 0)
		r = read_expiry(req->body, &wall_ns, &req->err);
	/* Left out it stays as it is: there is nothing else to be edited. */
	if (r > 0)
		r = snapshot_set_expiry(inst, snapshot->name, wall_ns, &req->err);
	if (r < 0)
		reply_error(req);
	else
		reply_done_op(req, "Updating snapshot", req->args[0]);
}

void snapshot_put(struct api_req *req)
{
	edit(req);
}

void snapshot_patch(struct api_req *req)
{
	edit(req);
}

void snapshot_post(struct api_req *req)
{
	const char *new_name = json_str(req->body, "name", "");
	struct op *op = NULL;
	struct inst *inst;
	int r = inst_find(req->core, req->args[0], &inst, &req->err);

	if (r == 0 && json_bool(req->body, "migration", false))
		r = err_kind(&req->err, ERR_UNSUPPORTED, "snapshots are not sent to other servers");
	if (r == 0)
		r = snapshot_rename(inst, req->args[1], new_name, &op, &req->err);
	reply_op_result(req, r, op);
}

void snapshot_remove(struct api_req *req)
{
	char *names[] = { req->args[1], NULL };
	struct op *op = NULL;
	struct inst *inst;
	int r = inst_find(req->core, req->args[0], &inst, &req->err);

	if (r == 0)
		r = snapshots_delete(inst, names, &op, &req->err);
	reply_op_result(req, r, op);
}

static bool is_prefix(const char *text, const char *end, const char *name)
{
	return strlen(name) == (size_t)(end - text) && strncmp(text, name, strlen(name)) == 0;
}

/* "c1/snap0", or "snap0" alone. */
void instance_restore(struct api_req *req, struct inst *inst)
{
	const char *wanted = json_str(req->body, "restore", "");
	const char *slash = strchr(wanted, '/');
	struct op *op = NULL;
	int r = 0;

	if (json_bool(req->body, "stateful", false))
		r = err_kind(&req->err, ERR_UNSUPPORTED, "there are no stateful snapshots");
	if (r == 0 && slash && !is_prefix(wanted, slash, inst->record->name))
		r = err_kind(&req->err, ERR_INVALID,
			     "restore: \"%s\" is a snapshot of another instance", wanted);
	if (r == 0)
		r = snapshot_restore(inst, slash ? slash + 1 : wanted,
				     json_bool(req->body, "disk_only", false), &op, &req->err);
	reply_op_result(req, r, op);
}

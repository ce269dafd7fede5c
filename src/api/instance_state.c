/* api/instance_state.c - /1.0/instances/{name}/: state, exec, console */
#include "api/instance_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aio/fdsession.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "codec/json.h"
#include "core/console.h"
#include "core/core.h"
#include "core/exec_session.h"
#include "core/inst.h"
#include "core/inst_ops.h"
#include "core/monitor_conn.h"
#include "core/op_streams.h"

static int find(struct api_req *req, struct inst **ret_inst)
{
	return inst_find(req->core, req->args[0], ret_inst, &req->err);
}

/* ---- state ---- */

struct gather {
	struct api_req *req;
	struct stats_list list;
	size_t left;
	stats_done_fn *done;
};

struct gather_item {
	struct gather *gather;
	size_t index;
};

static void gather_over(struct gather *gather)
{
	gather->done(gather->req, &gather->list);
	for (size_t i = 0; i < gather->list.n; i++) {
		if (gather->list.answers[i])
			wire_free(&msg_schema, gather->list.answers[i]);
		free(gather->list.answers[i]);
	}
	free(gather->list.answers);
	strv_free(gather->list.names);
	free(gather);
}

static struct msg *copy_msg(const struct msg *msg)
{
	struct msg *copy = xcalloc(1, sizeof(*copy));
	struct buf bytes = { 0 };

	wire_encode(&msg_schema, msg, &bytes);
	(void)wire_decode(&msg_schema, bytes.data, bytes.len, copy, NULL); /* our own encoding */
	buf_done(&bytes);
	return copy;
}

static void one_answered(void *data, const struct msg *answer, enum msg_type type, int *fds,
			 size_t n_fds)
{
	struct gather_item *item = data;
	struct gather *gather = item->gather;

	(void)fds;
	(void)n_fds;
	if (answer && type == MSG_OK)
		gather->list.answers[item->index] = copy_msg(answer);
	free(item);
	if (--gather->left == 0)
		gather_over(gather);
}

static void ask_one(struct gather *gather, size_t index)
{
	struct inst *inst = strmap_get(&gather->req->core->instances, gather->list.names[index]);
	struct gather_item *item;

	if (!inst || !inst_is_running(inst))
		return;
	item = xmalloc(sizeof(*item));
	*item = (struct gather_item){ .gather = gather, .index = index };
	if (monitor_request(inst, MSG_STATS, NULL, NULL, 0, one_answered, item) == 0)
		gather->left++;
	else
		free(item);
}

void stats_gather(struct api_req *req, char **names, stats_done_fn *done)
{
	struct gather *gather = xcalloc(1, sizeof(*gather));

	gather->req = req;
	gather->done = done;
	gather->list.n = strv_len(names);
	gather->list.names = names;
	gather->list.answers = xcalloc(gather->list.n + 1, sizeof(struct msg *));
	gather->left = 1; /* ours, so that no early answer ends it */
	for (size_t i = 0; i < gather->list.n; i++)
		ask_one(gather, i);
	if (--gather->left == 0)
		gather_over(gather);
}

static void write_state(struct api_req *req, const struct stats_list *list)
{
	struct inst *inst;

	if (find(req, &inst) < 0) {
		reply_error(req);
		return;
	}
	write_instance_state(&req->json, inst, list->answers[0]);
	reply_sync(req);
}

void state_get(struct api_req *req)
{
	char **names = NULL;
	struct inst *inst;

	if (find(req, &inst) < 0) {
		reply_error(req);
		return;
	}
	strv_push(&names, inst->record->name);
	stats_gather(req, names, write_state);
}

void state_put(struct api_req *req)
{
	enum inst_action action;
	struct op *op = NULL;
	struct inst *inst;
	int r = find(req, &inst);

	if (r == 0)
		r = json_check(req->body, "s:action i:timeout b:force b:stateful", &req->err);
	if (r == 0)
		r = inst_action_parse(json_str(req->body, "action", ""), &action, &req->err);
	if (r == 0 && json_bool(req->body, "stateful", false))
		r = err_kind(&req->err, ERR_UNSUPPORTED, "stateful stop and start are not offered");
	if (r == 0)
		r = inst_change_state(inst, action, json_i64(req->body, "timeout", -1),
				      json_bool(req->body, "force", false), &op, &req->err);
	reply_op_result(req, r, op);
}

/* ---- exec ---- */

static int read_exec(const json_t *body, struct exec_request *request, struct err *err)
{
	struct session_spec *spec = &request->spec;
	int r = json_check(body,
			   "a:command o:environment b:wait-for-websocket b:interactive i:width "
			   "i:height b:record-output i:user i:group s:cwd b:login s:user_name "
			   "s:group_name",
			   err);

	if (r == 0)
		r = json_strv(body, "command", &spec->argv, err);
	if (r == 0)
		r = json_strmap(body, "environment", &spec->environment, err);
	if (r < 0)
		return r;
	request->wait_for_client = json_bool(body, "wait-for-websocket", false);
	request->record_output = json_bool(body, "record-output", false);
	spec->interactive = json_bool(body, "interactive", false);
	spec->width = (uint32_t)json_i64(body, "width", 0);
	spec->height = (uint32_t)json_i64(body, "height", 0);
	spec->uid = (uint32_t)json_i64(body, "user", 0);
	spec->gid = (uint32_t)json_i64(body, "group", 0);
	spec->login_shell = json_bool(body, "login", false);
	if (*json_str(body, "cwd", ""))
		spec->cwd = xstrdup(json_str(body, "cwd", ""));
	if (*json_str(body, "user_name", ""))
		spec->user = xstrdup(json_str(body, "user_name", ""));
	if (*json_str(body, "group_name", ""))
		spec->group = xstrdup(json_str(body, "group_name", ""));
	return 0;
}

static int check_exec(const json_t *body, const struct exec_request *request, struct err *err)
{
	int64_t uid = json_i64(body, "user", 0), gid = json_i64(body, "group", 0);

	if (!request->spec.argv && !request->spec.login_shell)
		return err_kind(err, ERR_INVALID, "command is missing");
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return err_kind(err, ERR_INVALID, "user or group is no valid id");
	if (request->record_output && (request->wait_for_client || request->spec.interactive))
		return err_kind(err, ERR_INVALID,
				"record-output does not go with wait-for-websocket or interactive");
	return 0;
}

/* The client hands its descriptors over on this very connection. */
static void reply_exec_link(struct api_req *req, struct op *op)
{
	_cleanup_(freep) char *url = xasprintf("/1.0/operations/%s", op->id);

	http_req_add_header(req->http, "Location", url);
	if (op_streams_connect(op, strmap_get(&op->fds, "fds"), req->http, &req->err) < 0)
		reply_error(req);
	else
		reply_upgraded(req);
}

void exec_post(struct api_req *req)
{
	struct exec_request *request = xcalloc(1, sizeof(*request));
	struct op *op = NULL;
	struct inst *inst;
	int r = find(req, &inst);

	if (r == 0)
		r = read_exec(req->body, request, &req->err);
	if (r == 0)
		r = check_exec(req->body, request, &req->err);
	if (r == 0 && fdsession_wanted(req->http) && !request->wait_for_client)
		r = err_kind(&req->err, ERR_INVALID, "Upgrade: %s needs wait-for-websocket",
			     FDSESSION_PROTOCOL);
	if (r < 0)
		exec_request_free(request);
	else
		r = exec_session_new(inst, request, &op, &req->err);
	if (r == 0 && fdsession_wanted(req->http))
		reply_exec_link(req, op);
	else
		reply_op_result(req, r, op);
}

/* ---- console ---- */

void console_post(struct api_req *req)
{
	const char *type = json_str(req->body, "type", "console");
	struct op *op = NULL;
	struct inst *inst;
	int r = find(req, &inst);

	if (r == 0)
		r = json_check(req->body, "i:width i:height s:type b:force", &req->err);
	if (r == 0 && *type && !streq(type, "console"))
		r = err_kind(&req->err, ERR_INVALID, "containers have no console of type \"%s\"",
			     type);
	if (r == 0)
		r = console_attach(inst, (uint32_t)json_i64(req->body, "width", 0),
				   (uint32_t)json_i64(req->body, "height", 0),
				   json_bool(req->body, "force", false), &op, &req->err);
	reply_op_result(req, r, op);
}

static void log_is_there(void *data, int fd, const struct err *err)
{
	struct api_req *req = data;

	if (err) {
		req->err = *err;
		reply_error(req);
	} else {
		reply_file(req, fd, "console.log");
	}
}

void console_get(struct api_req *req)
{
	struct inst *inst;

	if (find(req, &inst) < 0)
		reply_error(req);
	else
		console_log(inst, log_is_there, req);
}

static void log_is_empty(void *data, int fd, const struct err *err)
{
	struct api_req *req = data;

	(void)fd;
	if (err)
		req->err = *err;
	reply_result(req, err ? err->code : 0);
}

void console_delete(struct api_req *req)
{
	struct inst *inst;

	if (find(req, &inst) < 0)
		reply_error(req);
	else
		console_clear(inst, log_is_empty, req);
}

/* api/operations.c - /1.0/operations and /1.0/events */
#include <stdlib.h>

#include "aio/timer.h"
#include "aio/ws.h"
#include "api/api_priv.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/op_streams.h"

enum {
	WAIT_SECONDS_MAX = 365 * 24 * 3600
};

/* Lower-case status word -> list of URLs or objects; the one list that is not a list. */
static void write_status_group(struct api_req *req, enum op_status status)
{
	_cleanup_(freep) char *key = xstrdup(op_status_name(status));
	struct list *node;
	bool any = false;

	key[0] = (char)(key[0] | 0x20);
	list_for_each(node, &req->core->ops.all) {
		const struct op *op = list_entry(node, struct op, node);

		if (op->status != status)
			continue;
		if (!any)
			jsonw_add_array(&req->json, key);
		any = true;
		if (api_recursion(req) > 0)
			write_op(&req->json, op, false);
		else
			write_url(&req->json, "operations", op->id);
	}
	if (any)
		jsonw_end_array(&req->json);
}

void operations_list(struct api_req *req)
{
	jsonw_begin_object(&req->json);
	for (int status = 0; status < OP_STATUS_MAX; status++)
		write_status_group(req, (enum op_status)status);
	jsonw_end_object(&req->json);
	reply_sync(req);
}

/* The operation of the URL, or NULL with the error answered. */
static struct op *find_op(struct api_req *req)
{
	struct op *op = op_find(req->core, req->args[0]);

	if (op)
		return op;
	(void)err_kind(&req->err, ERR_NOT_FOUND, "Operation not found: %s", req->args[0]);
	reply_error(req);
	return NULL;
}

static bool made_by(const struct op *op, const struct api_req *req)
{
	return op->creator_uid == http_req_peer(req->http)->uid;
}

void operation_get(struct api_req *req)
{
	struct op *op = find_op(req);

	if (!op)
		return;
	write_op(&req->json, op, made_by(op, req));
	reply_sync(req);
}

void operation_delete(struct api_req *req)
{
	struct op *op = find_op(req);

	if (op)
		reply_result(req, op_cancel(op, &req->err));
}

/* ---- wait ---- */

struct wait {
	struct api_req *req;
	struct op *op;
	struct op_waiter waiter;
	struct aio_timer timer;
};

static void wait_over(struct wait *wait)
{
	struct api_req *req = wait->req;

	op_wait_cancel(&wait->waiter);
	aio_timer_stop(&wait->timer);
	write_op(&req->json, wait->op, made_by(wait->op, req));
	op_unref(wait->op);
	free(wait);
	reply_sync(req);
}

static void wait_done(struct op_waiter *waiter, struct op *op)
{
	(void)op;
	wait_over(container_of(waiter, struct wait, waiter));
}

static void wait_timed_out(void *data)
{
	wait_over(data);
}

static void start_wait(struct api_req *req, struct op *op, uint64_t timeout_s)
{
	struct wait *wait = xcalloc(1, sizeof(*wait));

	wait->req = req;
	wait->op = op_ref(op);
	wait->waiter.done = wait_done;
	op_wait(op, &wait->waiter);
	if (timeout_s > 0)
		aio_timer_start(req->core->loop, &wait->timer, timeout_s * NS_PER_S, wait_timed_out,
				wait);
	http_req_on_gone(req->http, wait_timed_out, wait);
}

/* ?timeout=: seconds; absent or negative: for ever; 0: just look. */
void operation_wait(struct api_req *req)
{
	struct op *op = find_op(req);
	uint64_t timeout_s = 0;

	if (!op)
		return;
	const char *text = api_query(req, "timeout");

	if (*text && *text != '-' && parse_u64(text, WAIT_SECONDS_MAX, &timeout_s) < 0) {
		(void)err_kind(&req->err, ERR_INVALID, "timeout \"%s\" is not a number of seconds",
			       text);
		reply_error(req);
		return;
	}
	if (!op_is_final(op) && !streq(text, "0")) {
		start_wait(req, op, timeout_s);
		return;
	}
	write_op(&req->json, op, made_by(op, req));
	reply_sync(req);
}

void operation_websocket(struct api_req *req)
{
	struct op *op = find_op(req);

	if (!op)
		return;
	if (op_streams_connect(op, api_query(req, "secret"), req->http, &req->err) < 0)
		reply_error(req);
	else
		reply_upgraded(req);
}

/* ---- events ---- */

struct listener {
	struct core *core;
	struct event_listener base;
	struct ws *ws; /* NULL until the socket is open */
	uint32_t uid;
};

static const struct {
	const char *name;
	enum event_type type;
} event_types[] = {
	{ "operation", EVENT_OPERATION },
	{ "lifecycle", EVENT_LIFECYCLE },
	{ "logging", EVENT_LOGGING },
};

static const char *event_type_name(enum event_type type)
{
	for (size_t i = 0; i < ARRAY_LEN(event_types); i++)
		if (event_types[i].type == type)
			return event_types[i].name;
	return "";
}

static void write_lifecycle(struct jsonw *w, const struct event *event)
{
	jsonw_begin_object(w);
	jsonw_add_str(w, "action", event->action);
	jsonw_key(w, "source");
	write_url(w, event->kind, event->name);
	jsonw_add_strmap(w, "context", event->context ? event->context : &(struct strmap){ 0 });
	jsonw_end_object(w);
}

static void write_logging(struct jsonw *w, const struct event *event)
{
	jsonw_begin_object(w);
	jsonw_add_str(w, "level", event->level);
	jsonw_add_str(w, "message", event->message);
	jsonw_add_object(w, "context");
	jsonw_end_object(w);
	jsonw_end_object(w);
}

static void write_event(struct jsonw *w, const struct event *event, uint32_t uid)
{
	jsonw_begin_object(w);
	jsonw_add_str(w, "type", event_type_name(event->type));
	write_time(w, "timestamp", event->wall_ns);
	jsonw_key(w, "metadata");
	if (event->type == EVENT_OPERATION)
		write_op(w, event->op, event->op->creator_uid == uid);
	else if (event->type == EVENT_LIFECYCLE)
		write_lifecycle(w, event);
	else
		write_logging(w, event);
	jsonw_add_str(w, "location", "none");
	jsonw_add_str(w, "project", "default");
	jsonw_end_object(w);
}

static void listener_free(struct listener *listener)
{
	events_unsubscribe(&listener->base);
	(void)ws_free(listener->ws);
	free(listener);
}

static void cut_slow_listener(void *data)
{
	listener_free(data);
}

static void end_listener(struct event_listener *base)
{
	listener_free(container_of(base, struct listener, base));
}

static void on_event(struct event_listener *base, const struct event *event)
{
	struct listener *listener = container_of(base, struct listener, base);
	struct buf text = { 0 };
	struct jsonw w = jsonw_new(&text);

	write_event(&w, event, listener->uid);
	/* A listener that does not read is dropped, not waited for. */
	if (ws_send(listener->ws, WS_TEXT, text.data, text.len) < 0) {
		events_unsubscribe(&listener->base);
		ws_set_handler(listener->ws, NULL, NULL);
		aio_defer(listener->core->loop, cut_slow_listener, listener);
	}
	buf_done(&text);
}

static void listener_open(void *data, struct ws *ws)
{
	struct listener *listener = data;

	listener->ws = ws;
	events_subscribe(&listener->core->events, &listener->base);
}

static void listener_closed(void *data)
{
	listener_free(data);
}

static const struct ws_handler listener_handler = {
	.on_open = listener_open,
	.on_closed = listener_closed,
};

/* ?type=operation,lifecycle; all when absent. */
static int parse_types(struct api_req *req, uint32_t *ret_types)
{
	_cleanup_(strv_freep) char **names = strv_split(api_query(req, "type"), ",");
	uint32_t types = 0;

	for (char **name = names; name && *name; name++) {
		uint32_t before = types;

		for (size_t i = 0; i < ARRAY_LEN(event_types); i++)
			if (streq(*name, event_types[i].name))
				types |= (uint32_t)event_types[i].type;
		if (types == before)
			return err_kind(&req->err, ERR_INVALID, "unknown event type \"%s\"", *name);
	}
	*ret_types = types ? types : EVENT_OPERATION | EVENT_LIFECYCLE | EVENT_LOGGING;
	return 0;
}

void events_get(struct api_req *req)
{
	struct listener *listener = xcalloc(1, sizeof(*listener));
	int r;

	list_init(&listener->base.node);
	listener->core = req->core;
	listener->uid = http_req_peer(req->http)->uid;
	listener->base.event = on_event;
	listener->base.end = end_listener;
	r = parse_types(req, &listener->base.types);
	if (r == 0)
		r = ws_upgrade(req->http, &listener_handler, listener, &req->err);
	if (r < 0) {
		free(listener);
		reply_error(req);
		return;
	}
	reply_upgraded(req);
}

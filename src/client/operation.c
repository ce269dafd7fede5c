/* client/operation.c - see operation.h */
#include "client/operation.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "client/client.h"
#include "client/ws.h"
#include "codec/json.h"

struct waiter {
	struct client *client;
	const char *id;
	const struct operation_watch *watch;
	int interrupt_fd;
	json_t *final; /* owned; NULL while it runs */
	struct buf message;
};

static bool is_final(const json_t *operation)
{
	return json_integer_value(json_object_get(operation, "status_code")) >= OPERATION_SUCCESS;
}

/* A look at the operation: keep it when it is final, show it when it is not. */
static void observe(struct waiter *w, json_t *operation)
{
	if (w->final || !streq(json_str(operation, "id", ""), w->id))
		return;
	if (is_final(operation))
		w->final = json_incref(operation);
	else if (w->watch && w->watch->progress)
		w->watch->progress(w->watch->data, operation);
}

/* Returns: 0 to go on waiting, -EINTR to give up. */
static int on_interrupt(struct waiter *w, struct err *err)
{
	if (!w->watch || !w->watch->interrupted)
		return -EINTR;
	if (err)
		*err = (struct err){ 0 };
	return w->watch->interrupted(w->watch->data, w->id);
}

static int long_poll(struct waiter *w, struct err *err)
{
	_cleanup_(freep) char *path = client_path("/1.0/operations/%s/wait?timeout=1", w->id);
	_cleanup_(json_decrefp) json_t *operation = NULL;
	int r = client_get(w->client, path, &operation, err);

	if (r == -EINTR)
		return on_interrupt(w, err);
	if (r == 0)
		observe(w, operation);
	return r;
}

static int look_once(struct waiter *w, struct err *err)
{
	_cleanup_(freep) char *path = client_path("/1.0/operations/%s", w->id);
	_cleanup_(json_decrefp) json_t *operation = NULL;
	int r = client_get(w->client, path, &operation, err);

	if (r == -EINTR)
		return on_interrupt(w, err);
	if (r == 0)
		observe(w, operation);
	return r;
}

static void on_event(void *data, bool text, bool last, const void *bytes, size_t len)
{
	struct waiter *w = data;
	json_t *event;

	(void)text;
	buf_add(&w->message, bytes, len);
	if (!last)
		return;
	event = json_loadb(w->message.data, w->message.len, 0, NULL);
	w->message.len = 0;
	observe(w, json_object_get(event, "metadata"));
	json_decref(event);
}

/* Returns: 0 when the operation is final or events have ended, -errno. */
static int follow_events(struct waiter *w, struct ws *ws, struct err *err)
{
	struct pollfd fds[] = {
		{ .fd = ws_fd(ws), .events = POLLIN },
		{ .fd = w->interrupt_fd, .events = POLLIN },
	};

	if (ws_process(ws) != 0)
		return 0;
	while (!w->final) {
		int r;

		fds[0].events = ws_events(ws);
		if (poll(fds, w->interrupt_fd >= 0 ? 2 : 1, -1) < 0 && errno != EINTR)
			return err_set(err, -errno, "wait for events");
		if (fds[1].revents) {
			r = on_interrupt(w, err);
			if (r < 0)
				return r;
		}
		if (fds[0].revents && ws_process(ws) != 0)
			return 0;
	}
	return 0;
}

/* Events first, then one look: what ended in between is seen either way. */
static int watch_events(struct waiter *w, struct err *err)
{
	struct ws *ws;
	int r = ws_open(w->client, "/1.0/events?type=operation", on_event, w, &ws, NULL);

	if (r < 0)
		return 0; /* refused: polling goes on */
	r = look_once(w, err);
	if (r == 0)
		r = follow_events(w, ws, err);
	(void)ws_free(ws);
	return r;
}

/* The final object's own verdict. */
static int verdict(const json_t *operation, struct err *err)
{
	json_int_t code = json_integer_value(json_object_get(operation, "status_code"));
	_cleanup_(freep) char *text = str_printable(json_str(operation, "err", ""), true);

	if (code == OPERATION_SUCCESS)
		return 0;
	if (code == OPERATION_CANCELLED)
		return err_kind(err, ERR_CANCELLED, "%s", str_empty(text) ? "cancelled" : text);
	return err_kind(err, ERR_INTERNAL, "%s", str_empty(text) ? "failed" : text);
}

int operation_wait(struct client *client, const char *id, const struct operation_watch *watch,
		   int interrupt_fd, json_t **ret_operation, struct err *err)
{
	struct waiter w = {
		.client = client, .id = id, .watch = watch, .interrupt_fd = interrupt_fd
	};
	int r = long_poll(&w, err);

	if (r == 0 && !w.final)
		r = watch_events(&w, err);
	while (r == 0 && !w.final)
		r = long_poll(&w, err);
	buf_done(&w.message);
	if (r == 0)
		r = verdict(w.final, err);
	if (ret_operation)
		*ret_operation = w.final;
	else
		json_decref(w.final);
	return r;
}

int operation_cancel(struct client *client, const char *id, struct err *err)
{
	_cleanup_(freep) char *path = client_path("/1.0/operations/%s", id);

	return client_request(client, "DELETE", path, NULL, NULL, err);
}

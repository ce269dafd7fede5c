/* client/ws.c - see ws.h */
#include "client/ws.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "client/client.h"
#include "client/http.h"

struct ws {
	int fd;
	wslay_event_context_ptr ctx;
	ws_data_cb cb;
	void *data;
	struct buf rest; /* came with the answer's head, not yet fed */
	bool eof;
	bool text; /* kind of the message being received */
	bool control;
	bool last; /* of the frame being received */
};

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *out, size_t len, int flags,
		       void *user_data)
{
	struct ws *ws = user_data;
	ssize_t n;

	(void)flags;
	if (ws->rest.len > 0) {
		n = (ssize_t)MIN(len, ws->rest.len);
		memcpy(out, ws->rest.data, (size_t)n);
		buf_consume(&ws->rest, (size_t)n);
		return n;
	}
	do
		n = recv(ws->fd, out, len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	ws->eof = n == 0 || errno != EAGAIN;
	wslay_event_set_error(ctx, ws->eof ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
	return -1;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *bytes, size_t len, int flags,
		       void *user_data)
{
	struct ws *ws = user_data;
	ssize_t n;

	(void)flags;
	do
		n = send(ws->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	ws->eof = errno != EAGAIN;
	wslay_event_set_error(ctx, ws->eof ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
	return -1;
}

static int on_genmask(wslay_event_context_ptr ctx, uint8_t *out, size_t len, void *user_data)
{
	(void)ctx;
	(void)user_data;
	random_bytes(out, len);
	return 0;
}

static void on_frame_start(wslay_event_context_ptr ctx,
			   const struct wslay_event_on_frame_recv_start_arg *arg, void *user_data)
{
	struct ws *ws = user_data;

	(void)ctx;
	ws->control = wslay_is_ctrl_frame(arg->opcode);
	if (ws->control)
		return;
	ws->last = arg->fin;
	if (arg->opcode != WSLAY_CONTINUATION_FRAME)
		ws->text = arg->opcode == WSLAY_TEXT_FRAME;
}

static void on_frame_chunk(wslay_event_context_ptr ctx,
			   const struct wslay_event_on_frame_recv_chunk_arg *arg, void *user_data)
{
	struct ws *ws = user_data;

	(void)ctx;
	if (!ws->control && arg->data_length > 0)
		ws->cb(ws->data, ws->text, false, arg->data, arg->data_length);
}

static void on_frame_end(wslay_event_context_ptr ctx, void *user_data)
{
	struct ws *ws = user_data;

	(void)ctx;
	if (!ws->control && ws->last)
		ws->cb(ws->data, ws->text, true, "", 0);
}

/* GET with the upgrade head; any answer but 101 becomes an error. */
static int upgrade(const struct client *client, const char *target, struct ws *ws, struct err *err)
{
	static const char *const headers[] = { "Sec-WebSocket-Version: 13",
					       /* any 16 bytes do: this guards against caches, which
						  a unix socket does not have */
					       "Sec-WebSocket-Key: c3lzY3RyLXdlYnNvY2tldA==",
					       NULL };
	struct http_request request = {
		.method = "GET", .target = target, .headers = headers, .upgrade = "websocket"
	};
	_cleanup_(http_closep) struct http_conn *conn = NULL;
	int passed, r;

	r = client_upgrade(client, &request, NULL, &conn, err);
	if (r < 0)
		return r;
	ws->fd = http_take_fd(TAKE_PTR(conn), &ws->rest, &passed);
	if (passed >= 0)
		(void)close(passed); /* not asked for */
	return 0;
}

int ws_open(const struct client *client, const char *target, ws_data_cb cb, void *data,
	    struct ws **ret_ws, struct err *err)
{
	struct wslay_event_callbacks callbacks = {
		.recv_callback = on_recv,
		.send_callback = on_send,
		.genmask_callback = on_genmask,
		.on_frame_recv_start_callback = on_frame_start,
		.on_frame_recv_chunk_callback = on_frame_chunk,
		.on_frame_recv_end_callback = on_frame_end,
	};
	struct ws *ws = xcalloc(1, sizeof(*ws));
	int r;

	ws->fd = -EBADF;
	ws->cb = cb;
	ws->data = data;
	r = upgrade(client, target, ws, err);
	if (r == 0 && wslay_event_context_client_init(&ws->ctx, &callbacks, ws) != 0)
		r = err_set(err, -ENOMEM, "open a WebSocket");
	if (r < 0) {
		(void)ws_free(ws);
		return r;
	}
	wslay_event_config_set_no_buffering(ws->ctx, 1);
	*ret_ws = ws;
	return 0;
}

int ws_fd(const struct ws *ws)
{
	return ws->fd;
}

bool ws_idle(const struct ws *ws)
{
	return !wslay_event_want_write(ws->ctx);
}

short ws_events(const struct ws *ws)
{
	return (short)(POLLIN | (ws_idle(ws) ? 0 : POLLOUT));
}

int ws_process(struct ws *ws)
{
	if (!ws_idle(ws))
		(void)wslay_event_send(ws->ctx);
	(void)wslay_event_recv(ws->ctx);
	if (!ws_idle(ws))
		(void)wslay_event_send(ws->ctx); /* pongs, the answer to a close */
	if (ws->eof || wslay_event_get_close_received(ws->ctx))
		return 1;
	return wslay_event_get_read_enabled(ws->ctx) ? 0 : -EPROTO;
}

void ws_queue(struct ws *ws, bool text, const void *bytes, size_t len)
{
	struct wslay_event_msg msg = {
		.opcode = text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
		.msg = len > 0 ? bytes : (const uint8_t *)"",
		.msg_length = len,
	};

	(void)wslay_event_queue_msg(ws->ctx, &msg); /* refused after a close: nobody listens */
	(void)wslay_event_send(ws->ctx);
}

void ws_queue_close(struct ws *ws, const char *reason)
{
	(void)wslay_event_queue_close(ws->ctx, WSLAY_CODE_NORMAL_CLOSURE, (const uint8_t *)reason,
				      strlen(reason));
	(void)wslay_event_send(ws->ctx);
}

struct ws *ws_free(struct ws *ws)
{
	if (!ws)
		return NULL;
	if (ws->ctx)
		wslay_event_context_free(ws->ctx);
	if (ws->fd >= 0)
		(void)close(ws->fd);
	buf_done(&ws->rest);
	free(ws);
	return NULL;
}

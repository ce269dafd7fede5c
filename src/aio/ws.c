/*
 * aio/ws.c - server side of one WebSocket (aio, sysctrd)
 */
#include "aio/ws.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "aio/handle.h"
#include "aio/poll.h"
#include "aio/timer.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"

enum {
	CLOSE_SECONDS = 2 /* for the peer's half of the closing handshake */
};

struct ws {
	struct aio_loop *loop;
	struct http_stream *stream; /* NULL: not open yet, or over */
	struct aio_poll *poll;
	struct ws_codec *codec;
	const struct ws_handler *handler;
	void *data;
	struct aio_timer ping;
	struct aio_timer end_timer; /* the connection is broken, or the peer slow to close */
	unsigned int pings;	    /* since the last sign of life */
	bool impassive;
	bool paused;
	bool high; /* ws_send() returned 1 */
	bool closing;
	bool over;	    /* on_closed was called */
	unsigned int depth; /* of handlers running; free only marks */
	bool freed;
};

static const char keepalive[] = "keepalive";

static void release(struct ws *ws)
{
	aio_timer_stop(&ws->ping);
	aio_timer_stop(&ws->end_timer);
	ws->poll = aio_poll_free(ws->poll);
	ws->stream = http_stream_free(ws->stream);
}

static void destroy(struct ws *ws)
{
	ws->codec = ws_codec_free(ws->codec);
	free(ws);
}

/* Around every call of a handler: the last one out frees what was freed inside. */
static void leave(struct ws *ws)
{
	if (--ws->depth == 0 && ws->freed)
		destroy(ws);
}

static void end(struct ws *ws)
{
	if (ws->over || ws->freed)
		return;
	ws->over = true;
	release(ws);
	if (ws->handler->on_closed)
		ws->handler->on_closed(ws->data);
}

static void on_end_timer(void *data)
{
	struct ws *ws = data;

	ws->depth++;
	end(ws);
	leave(ws);
}

static void watch(struct ws *ws)
{
	unsigned int want = 0;

	if (!ws->poll)
		return;
	if (!ws->paused || ws->closing)
		want |= AIO_READ;
	if (ws_codec_output(ws->codec)->len > 0)
		want |= AIO_WRITE;
	aio_poll_set(ws->poll, want);
}

static void flush(struct ws *ws)
{
	struct buf *out = ws_codec_output(ws->codec);

	while (ws->stream && out->len > 0) {
		ssize_t n = write(http_stream_fd(ws->stream), out->data, out->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN) {
				out->len = 0;
				aio_timer_start(ws->loop, &ws->end_timer, 0, on_end_timer, ws);
			}
			break;
		}
		buf_consume(out, (size_t)n);
	}
	watch(ws);
}

static void on_message(void *data, enum ws_kind kind, const void *bytes, size_t len)
{
	struct ws *ws = data;

	if (ws->freed || ws->closing)
		return;
	if (kind == WS_TEXT && ws->handler->on_text)
		ws->handler->on_text(ws->data, bytes, len);
	else if (kind == WS_BINARY && ws->handler->on_binary)
		ws->handler->on_binary(ws->data, bytes, len);
}

/* Both halves of the closing handshake are done, or nothing more will come. */
static bool is_finished(struct ws *ws)
{
	return ws_codec_close_received(ws->codec) && ws_codec_output(ws->codec)->len == 0;
}

static void feed(struct ws *ws, const char *bytes, size_t len)
{
	ws->pings = 0;
	if (ws_codec_feed(ws->codec, bytes, len) < 0) {
		ws->closing = true;
		flush(ws); /* the close frame that says why */
		end(ws);
		return;
	}
	if (ws->freed || ws->over)
		return;
	flush(ws);
	if (is_finished(ws))
		end(ws);
}

static void read_some(struct ws *ws)
{
	char *bytes = aio_loop_scratch(ws->loop);
	ssize_t n = read(http_stream_fd(ws->stream), bytes, AIO_SCRATCH_BYTES);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		end(ws);
	else
		feed(ws, bytes, (size_t)n);
}

static void write_some(struct ws *ws)
{
	flush(ws);
	if (ws->high && ws_queued(ws) < WS_QUEUE_HIGH_BYTES / 2) {
		ws->high = false;
		if (ws->handler->on_drained)
			ws->handler->on_drained(ws->data);
	}
	if (!ws->over && !ws->freed && is_finished(ws))
		end(ws);
}

static void on_ready(void *data, unsigned int ready)
{
	struct ws *ws = data;

	ws->depth++;
	if (ready & AIO_WRITE)
		write_some(ws);
	if ((ready & AIO_READ) && !ws->over && !ws->freed)
		read_some(ws);
	leave(ws);
}

static void on_ping(void *data)
{
	struct ws *ws = data;

	if (ws->pings >= WS_PINGS_MAX && !ws->impassive && !ws->paused) {
		ws->depth++;
		end(ws);
		leave(ws);
		return;
	}
	ws->pings++;
	/* Behind a full queue a ping would only wait, and more of them pile up. */
	if (ws_queued(ws) == 0 &&
	    ws_codec_send(ws->codec, WS_PING, keepalive, sizeof(keepalive) - 1) == 0)
		flush(ws);
	aio_timer_start(ws->loop, &ws->ping, WS_PING_SECONDS * (uint64_t)NS_PER_S, on_ping, ws);
}

static void on_upgraded(void *data, struct http_stream *stream)
{
	struct ws *ws = data;

	if (!stream) {
		ws->handler->on_closed(ws->data);
		destroy(ws);
		return;
	}
	ws->stream = stream;
	ws->poll = aio_poll_new(ws->loop, http_stream_fd(stream), on_ready, ws);
	aio_timer_start(ws->loop, &ws->ping, WS_PING_SECONDS * (uint64_t)NS_PER_S, on_ping, ws);
	ws->depth++;
	ws->handler->on_open(ws->data, ws);
	if (!ws->freed && !ws->over) {
		struct buf *early = http_stream_early(stream);

		feed(ws, buf_str(early), early->len);
	}
	leave(ws);
}

/* Upgrade's value is a list; clients send it alone. */
static int check_handshake(struct http_req *req, char accept[WS_ACCEPT_LEN], struct err *err)
{
	const char *upgrade = http_req_header(req, "Upgrade");
	const char *version = http_req_header(req, "Sec-WebSocket-Version");
	const char *key = http_req_header(req, "Sec-WebSocket-Key");

	if (!streq(http_req_method(req), "GET") || !upgrade ||
	    strcasecmp(upgrade, "websocket") != 0)
		return err_kind(err, ERR_INVALID, "not a WebSocket request");
	if (!streq(version, "13"))
		return err_kind(err, ERR_INVALID, "WebSocket version %s, not 13",
				version ? version : "missing");
	if (!key || ws_accept_value(key, accept) < 0)
		return err_kind(err, ERR_INVALID, "bad Sec-WebSocket-Key");
	return 0;
}

int ws_upgrade(struct http_req *req, const struct ws_handler *handler, void *data, struct err *err)
{
	char accept[WS_ACCEPT_LEN];
	int rc = check_handshake(req, accept, err);

	if (rc < 0)
		return rc;
	struct ws *ws = xcalloc(1, sizeof(*ws));

	ws->loop = http_req_loop(req);
	ws->handler = handler;
	ws->data = data;
	ws->codec = ws_codec_new(false, WS_TEXT_MAX_BYTES, on_message, ws);
	http_req_add_header(req, "Sec-WebSocket-Accept", accept);
	http_req_upgrade(req, "websocket", on_upgraded, ws);
	return 0;
}

void ws_set_handler(struct ws *ws, const struct ws_handler *handler, void *data)
{
	static const struct ws_handler nobody = { 0 };

	ws->handler = handler ? handler : &nobody;
	ws->data = data;
}

int ws_send(struct ws *ws, enum ws_kind kind, const void *bytes, size_t len)
{
	bool waiting = ws_queued(ws) > 0;
	int rc;

	if (ws->over || ws->closing || aio_timer_armed(&ws->end_timer))
		return -EPIPE;
	if (ws_queued(ws) > WS_QUEUE_MAX_BYTES || len > WS_QUEUE_MAX_BYTES)
		return -ENOBUFS;
	rc = ws_codec_send(ws->codec, kind, bytes, len);
	if (rc < 0)
		return rc;
	if (!waiting)
		flush(ws);
	if (ws_queued(ws) > WS_QUEUE_HIGH_BYTES)
		ws->high = true;
	return ws->high;
}

size_t ws_queued(const struct ws *ws)
{
	return ws_codec_output(ws->codec)->len;
}

void ws_expect_pong(struct ws *ws, bool expected)
{
	ws->impassive = !expected;
}

void ws_pause(struct ws *ws, bool paused)
{
	ws->paused = paused;
	ws->pings = 0;
	watch(ws);
}

void ws_close(struct ws *ws, unsigned int status)
{
	const unsigned char bytes[2] = { (unsigned char)(status >> 8), (unsigned char)status };

	if (ws->closing || ws->over)
		return;
	(void)ws_codec_send(ws->codec, WS_CLOSE, bytes, sizeof(bytes));
	ws->closing = true;
	flush(ws);
	/* From here on the peer's close, its EOF, or this ends it. */
	if (!aio_timer_armed(&ws->end_timer))
		aio_timer_start(ws->loop, &ws->end_timer, CLOSE_SECONDS * (uint64_t)NS_PER_S,
				on_end_timer, ws);
}

struct ws *ws_free(struct ws *ws)
{
	if (!ws)
		return NULL;
	release(ws);
	ws->freed = true;
	if (ws->depth == 0)
		destroy(ws);
	return NULL;
}

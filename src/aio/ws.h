/*
 * aio/ws.h - server side of one WebSocket (aio, sysctrd)
 *
 * A ping ("keepalive") goes out every 10 s; after three without any sign of life the peer counts as
 * gone. EOF without a close frame is a normal end.
 *
 *   V1  on_closed comes once and last, not after ws_free(), never from inside a call on the ws.
 *   V2  What waits to be sent is bounded by WS_QUEUE_MAX_BYTES: whoever goes on after ws_send()
 *       returned 1 meets -ENOBUFS.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aio/http.h"
#include "base/err.h"
#include "codec/ws.h"

enum {
	WS_QUEUE_HIGH_BYTES = 256 * 1024,
	WS_QUEUE_MAX_BYTES = 4 * 1024 * 1024,
	WS_TEXT_MAX_BYTES = 1024 * 1024, /* of a received text message */
	WS_PING_SECONDS = 10,
	WS_PINGS_MAX = 3
};

struct ws;

struct ws_handler {
	void (*on_open)(void *data, struct ws *ws); /* the ws is the callee's from here on */
	/* Text arrives whole; a binary message in pieces as they come. NULL: ignored. */
	void (*on_text)(void *data, const char *text, size_t len);
	void (*on_binary)(void *data, const void *bytes, size_t len);
	void (*on_drained)(void *data); /* after ws_send() returned 1: below the mark again */
	/* After on_open: to be freed by its owner. Before: the client never came, there is no ws. */
	void (*on_closed)(void *data);
};

/*
 * Check @req's handshake and answer 101.
 *
 * Returns: 0, and the request is given away; a negative errno, and it is still to be answered
 * (ERR_INVALID: no or a broken WebSocket handshake).
 */
int ws_upgrade(struct http_req *req, const struct ws_handler *handler, void *data, struct err *err);

/*
 * Whoever takes the ws over gets its callbacks (on_open is not called again). @handler
 * NULL: nobody does, until it is freed.
 */
void ws_set_handler(struct ws *ws, const struct ws_handler *handler, void *data);

/*
 * Queue one message, WS_TEXT or WS_BINARY.
 * Returns: 0; 1: queued, but wait for on_drained before the next. Errors: -EPIPE, -ENOBUFS.
 */
int ws_send(struct ws *ws, enum ws_kind kind, const void *bytes, size_t len);
size_t ws_queued(const struct ws *ws); /* bytes not yet taken by the kernel */

/*
 * Whether silence ends it (the default). A command's client may be stopped for hours (Ctrl-Z), a
 * listener for events may not.
 */
void ws_expect_pong(struct ws *ws, bool expected);

/* Stop or go on reading; what the client sends meanwhile waits in its socket. */
void ws_pause(struct ws *ws, bool paused);

/* Send a close frame behind what is queued; on_closed follows. */
void ws_close(struct ws *ws, unsigned int status);

/* Cut it off. Returns: NULL. */
struct ws *ws_free(struct ws *ws);

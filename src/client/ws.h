/*
 * client/ws.h - a WebSocket to the daemon, client side
 *
 * Non-blocking: the owner polls ws_fd() for what ws_events() wants and calls ws_process(). Pings
 * are answered inside.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct client;
struct ws;

/* Part of a message; @text: it is one of a text message; @last: it ends the message. */
typedef void (*ws_data_cb)(void *data, bool text, bool last, const void *bytes, size_t len);

/* Connect and upgrade. Errors: what the daemon answered instead of 101. */
int ws_open(const struct client *client, const char *target, ws_data_cb cb, void *data,
	    struct ws **ret_ws, struct err *err);

int ws_fd(const struct ws *ws);

/* What to poll for: POLLIN, with POLLOUT while something is unsent. */
short ws_events(const struct ws *ws);

/* Nothing is waiting to be sent. */
bool ws_idle(const struct ws *ws);

/*
 * Read and write what can be without waiting; call once after opening too, for what came with the
 * answer's head. Returns: 0, 1 when the peer has closed, -errno.
 */
int ws_process(struct ws *ws);

/* Copies. An empty text message is "end of stream" to exec and console sessions. */
void ws_queue(struct ws *ws, bool text, const void *bytes, size_t len);
void ws_queue_close(struct ws *ws, const char *reason);

struct ws *ws_free(struct ws *ws); /* returns NULL */

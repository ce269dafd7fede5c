/*
 * aio/pump.h - bytes between a WebSocket and the descriptors of a command or a pty (aio, sysctrd)
 *
 * Flow control goes end to end: a full pipe stops reading the socket, a slow client stops reading
 * the pipe. EOF of @from is sent as an empty text message; any text message from the client is
 * EOF for @to, which for a pty is a Ctrl-D. A pump outlives its socket. A pipe whose reader went away
 * is closed, so that its writer gets SIGPIPE; a pty, or a pipe that never had a reader, is drained.
 */
#pragma once

#include "aio/ws.h"

struct pump;

struct pump_handler {
	void (*on_source_end)(void *data);  /* EOF of @from, the barrier is queued */
	void (*on_client_gone)(void *data); /* and of a pipe @from has ended, too */
};

/* Both may end or free the pump from inside. */

struct pump_config {
	int from_fd; /* taken; negative: nothing to send */
	int to_fd;   /* taken; negative: what comes is dropped. Equal to from_fd for a pty */
	const struct pump_handler *handler;
	void *data;
};

/* Takes @ws; NULL: no client. */
struct pump *pump_new(struct aio_loop *loop, const struct pump_config *config, struct ws *ws);

/* The command is dead: send what is in @from now, then end, though others may hold it open. */
void pump_finish(struct pump *pump);

/* Send @bytes behind all else, close the socket in order, and free the pump. */
void pump_end(struct pump *pump, const char *last_words);
struct pump *pump_free(struct pump *pump); /* cuts; returns NULL */

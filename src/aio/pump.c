/*
 * aio/pump.c - bytes between a WebSocket and the descriptors of a command or a pty (aio, sysctrd)
 *
 * Calls of the owner's handler come last in every function here: they may free the pump.
 */
#include "aio/pump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aio/handle.h"
#include "aio/poll.h"
#include "aio/timer.h"
#include "base/mem.h"
#include "os/fd.h"

struct pump {
	struct aio_loop *loop;
	struct ws *ws; /* NULL: no client, or no longer */
	int from_fd, to_fd;
	bool is_pty; /* both are one descriptor, watched once */
	struct aio_poll *from_poll, *to_poll;
	struct buf inbox; /* for to_fd */
	bool to_eof;	  /* close to_fd behind the inbox */
	bool held;	  /* the client is slow: from_fd waits */
	bool finishing;	  /* what from_fd has now is all */
	bool ended;	  /* from_fd has ended */
	bool leaving;	  /* pump_end(): free when the socket is closed */
	struct aio_timer finish;
	const struct pump_handler *handler;
	void *data;
};

static void watch(struct pump *pump)
{
	unsigned int from = !pump->ended && !pump->held ? AIO_READ : 0;
	unsigned int to = pump->inbox.len > 0 ? AIO_WRITE : 0;

	if (pump->is_pty && pump->from_poll) {
		aio_poll_set(pump->from_poll, from | to);
		return;
	}
	if (pump->from_poll)
		aio_poll_set(pump->from_poll, from);
	if (pump->to_poll)
		aio_poll_set(pump->to_poll, to);
}

/* ---- client to command ---- */

static void close_to(struct pump *pump)
{
	pump->to_poll = aio_poll_free(pump->to_poll);
	if (!pump->is_pty)
		(void)fd_close(pump->to_fd);
	pump->to_fd = -EBADF;
	buf_done(&pump->inbox);
}

static void write_inbox(struct pump *pump)
{
	while (pump->to_fd >= 0 && pump->inbox.len > 0) {
		ssize_t n = write(pump->to_fd, pump->inbox.data, pump->inbox.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) /* the command does not read any more; its client goes on */
			close_to(pump);
		else
			buf_consume(&pump->inbox, (size_t)n);
	}
	if (pump->to_eof && pump->to_fd >= 0 && pump->inbox.len == 0)
		close_to(pump);
	if (pump->ws)
		ws_pause(pump->ws, pump->inbox.len > 0);
	watch(pump);
}

static void on_ws_binary(void *data, const void *bytes, size_t len)
{
	struct pump *pump = data;

	if (pump->to_fd < 0 || pump->to_eof)
		return;
	buf_add(&pump->inbox, bytes, len);
	write_inbox(pump);
}

static void end_to(struct pump *pump)
{
	static const char ctrl_d = 4;

	if (pump->to_fd < 0 || pump->to_eof)
		return;
	if (pump->is_pty)
		buf_add(&pump->inbox, &ctrl_d, 1);
	else
		pump->to_eof = true;
	write_inbox(pump);
}

static void on_ws_text(void *data, const char *text, size_t len)
{
	(void)text;
	(void)len;
	end_to(data);
}

/* ---- command to client ---- */

static void end_from(struct pump *pump)
{
	pump->ended = true;
	aio_timer_stop(&pump->finish);
	/* Writing to a pty goes on no longer either: its other side is closed. */
	pump->from_poll = aio_poll_free(pump->from_poll);
	if (pump->is_pty)
		pump->to_fd = -EBADF;
	pump->from_fd = fd_close(pump->from_fd);
	if (pump->ws)
		(void)ws_send(pump->ws, WS_TEXT, "", 0);
	if (pump->handler && pump->handler->on_source_end && !pump->leaving)
		pump->handler->on_source_end(pump->data);
}

/* Returns: false when from_fd has ended (the owner was told) or has nothing now. */
static bool read_from(struct pump *pump)
{
	char *bytes = aio_loop_scratch(pump->loop);
	ssize_t n = read(pump->from_fd, bytes, AIO_SCRATCH_BYTES);

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN && !pump->finishing)
		return false;
	if (n <= 0) {
		end_from(pump);
		return false;
	}
	if (pump->ws && ws_send(pump->ws, WS_BINARY, bytes, (size_t)n) == 1)
		pump->held = true;
	watch(pump);
	return !pump->held;
}

static void on_finish(void *data)
{
	struct pump *pump = data;

	if (!pump->ended && !pump->held && read_from(pump))
		aio_timer_start(pump->loop, &pump->finish, 0, on_finish, pump);
}

static void on_from_ready(void *data, unsigned int ready)
{
	struct pump *pump = data;

	if (ready & AIO_WRITE)
		write_inbox(pump);
	if ((ready & AIO_READ) && !pump->ended && !pump->held)
		(void)read_from(pump);
}

static void on_to_ready(void *data, unsigned int ready)
{
	(void)ready;
	write_inbox(data);
}

static void on_ws_drained(void *data)
{
	struct pump *pump = data;

	pump->held = false;
	watch(pump);
	if (pump->finishing && !pump->ended)
		aio_timer_start(pump->loop, &pump->finish, 0, on_finish, pump);
}

/* Nobody will read any more what comes out of the pipe. */
static void close_from(struct pump *pump)
{
	pump->ended = true;
	aio_timer_stop(&pump->finish);
	pump->from_poll = aio_poll_free(pump->from_poll);
	pump->from_fd = fd_close(pump->from_fd);
}

static void on_ws_closed(void *data)
{
	struct pump *pump = data;

	pump->ws = ws_free(pump->ws);
	if (pump->leaving) {
		(void)pump_free(pump);
		return;
	}
	pump->held = false;
	if (!pump->is_pty) {
		close_from(pump);
		end_to(pump);
	}
	watch(pump);
	if (pump->handler && pump->handler->on_client_gone)
		pump->handler->on_client_gone(pump->data);
}

static const struct ws_handler ws_calls = {
	.on_text = on_ws_text,
	.on_binary = on_ws_binary,
	.on_drained = on_ws_drained,
	.on_closed = on_ws_closed,
};

struct pump *pump_new(struct aio_loop *loop, const struct pump_config *config, struct ws *ws)
{
	struct pump *pump = xcalloc(1, sizeof(*pump));

	pump->loop = loop;
	pump->from_fd = config->from_fd;
	pump->to_fd = config->to_fd;
	pump->is_pty = config->from_fd >= 0 && config->from_fd == config->to_fd;
	pump->handler = config->handler;
	pump->data = config->data;
	pump->ended = config->from_fd < 0;
	if (config->from_fd >= 0) {
		(void)fd_set_nonblock(config->from_fd);
		pump->from_poll = aio_poll_new(loop, config->from_fd, on_from_ready, pump);
	}
	if (config->to_fd >= 0 && !pump->is_pty) {
		(void)fd_set_nonblock(config->to_fd);
		pump->to_poll = aio_poll_new(loop, config->to_fd, on_to_ready, pump);
	}
	pump->ws = ws;
	if (ws) {
		ws_set_handler(ws, &ws_calls, pump);
		ws_expect_pong(ws, false);
		ws_pause(ws, false);
	} else if (!pump->is_pty) {
		end_to(pump);
	}
	watch(pump);
	return pump;
}

void pump_finish(struct pump *pump)
{
	if (pump->ended || pump->finishing)
		return;
	pump->finishing = true;
	aio_timer_start(pump->loop, &pump->finish, 0, on_finish, pump);
}

void pump_end(struct pump *pump, const char *last_words)
{
	pump->leaving = true;
	if (!pump->ended)
		end_from(pump);
	if (pump->to_fd >= 0)
		close_to(pump);
	if (!pump->ws) {
		(void)pump_free(pump);
		return;
	}
	if (last_words && *last_words)
		(void)ws_send(pump->ws, WS_BINARY, last_words, strlen(last_words));
	ws_close(pump->ws, WS_CLOSE_NORMAL);
}

struct pump *pump_free(struct pump *pump)
{
	if (!pump)
		return NULL;
	aio_timer_stop(&pump->finish);
	pump->from_poll = aio_poll_free(pump->from_poll);
	close_to(pump);
	pump->from_fd = fd_close(pump->from_fd);
	pump->ws = ws_free(pump->ws);
	free(pump);
	return NULL;
}

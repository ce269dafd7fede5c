/* core/op_streams.c - see op_streams.h */
#include "core/op_streams.h"

#include <errno.h>
#include <string.h>

#include "aio/fdsession.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "os/fd.h"

#define STREAM_CONTROL "control"
#define STREAM_FDS     "fds"

void op_streams_init(struct op_streams *streams, struct op *op)
{
	*streams = (struct op_streams){ .op = op };
	for (size_t i = 0; i < ARRAY_LEN(streams->client_fds); i++)
		streams->client_fds[i] = -EBADF;
	op->streams = streams;
}

void op_streams_done(struct op_streams *streams)
{
	aio_timer_stop(&streams->timeout);
	for (size_t i = 0; i < streams->n; i++)
		streams->list[i].ws = ws_free(streams->list[i].ws);
	streams->fdsession = fdsession_free(streams->fdsession);
	for (size_t i = 0; i < ARRAY_LEN(streams->client_fds); i++)
		streams->client_fds[i] = fd_close(streams->client_fds[i]);
	streams->op->streams = NULL;
}

void op_stream_add(struct op_streams *streams, const char *name, bool required)
{
	struct op_stream *stream = &streams->list[streams->n++];
	char secret[SECRET_LEN];

	*stream = (struct op_stream){ .streams = streams, .name = name, .required = required };
	strmap_set(&streams->op->fds, name, uuid_new_secret(secret));
}

static struct op_stream *find(struct op_streams *streams, const char *name)
{
	for (size_t i = 0; i < streams->n; i++)
		if (streq(streams->list[i].name, name))
			return &streams->list[i];
	return NULL;
}

/* A client that hands over descriptors needs no sockets besides. */
static bool all_there(const struct op_streams *streams)
{
	if (streams->fdsession)
		return true;
	for (size_t i = 0; i < streams->n; i++)
		if (streams->list[i].required && !streams->list[i].came && !streams->list[i].gone)
			return false;
	return true;
}

static void check_all_there(struct op_streams *streams)
{
	struct op *op = streams->op;

	if (!aio_timer_armed(&streams->timeout) || !all_there(streams))
		return;
	aio_timer_stop(&streams->timeout);
	op_resume(op, OP_NEXT);
}

static void timed_out(void *data)
{
	struct op_streams *streams = data;

	(void)err_kind(&streams->op->err, ERR_INVALID,
		       "Timed out waiting for websockets to connect");
	op_resume(streams->op, OP_FAIL);
}

static void stop_waiting(struct op *op)
{
	aio_timer_stop(&op->streams->timeout);
	(void)err_kind(&op->err, ERR_CANCELLED, "cancelled");
	op_resume(op, OP_FAIL);
}

enum op_next op_streams_await(struct op_streams *streams)
{
	struct op *op = streams->op;

	if (all_there(streams))
		return OP_NEXT;
	aio_timer_start(op->core->loop, &streams->timeout, (uint64_t)OP_STREAMS_WAIT_S * NS_PER_S,
			timed_out, streams);
	op->cancel_wait = stop_waiting;
	return OP_WAIT;
}

struct ws *op_stream_take(struct op_streams *streams, const char *name)
{
	struct op_stream *stream = find(streams, name);

	return stream ? TAKE_PTR(stream->ws) : NULL;
}

bool op_stream_is_open(const struct op_streams *streams, const char *name)
{
	const struct op_stream *stream = find((struct op_streams *)streams, name);

	return stream && stream->ws;
}

void op_streams_close_control(struct op_streams *streams)
{
	struct op_stream *control = find(streams, STREAM_CONTROL);

	streams->on_control_closed = NULL;
	if (control && control->ws)
		ws_close(control->ws, WS_CLOSE_NORMAL);
}

/* ---- sockets ---- */

static void ws_opened(void *data, struct ws *ws)
{
	struct op_stream *stream = data;
	struct op_streams *streams = stream->streams;

	stream->ws = ws;
	stream->came = true;
	if (!streq(stream->name, STREAM_CONTROL))
		ws_pause(ws, true); /* what the client sends waits for whoever takes it over */
	if (streams->on_stream)
		streams->on_stream(streams->data, stream->name);
	check_all_there(streams);
}

static void ws_text(void *data, const char *text, size_t len)
{
	struct op_stream *stream = data;
	struct op_streams *streams = stream->streams;

	if (streams->on_control && streq(stream->name, STREAM_CONTROL))
		streams->on_control(streams->data, text, len);
}

static void ws_closed(void *data)
{
	struct op_stream *stream = data;
	struct op_streams *streams = stream->streams;

	stream->gone = true;
	stream->ws = ws_free(stream->ws);
	if (streams->on_control_closed && streq(stream->name, STREAM_CONTROL))
		streams->on_control_closed(streams->data);
	check_all_there(streams);
}

static const struct ws_handler socket_handler = {
	.on_open = ws_opened,
	.on_text = ws_text,
	.on_closed = ws_closed,
};

/* ---- descriptors ---- */

static void fds_arrived(void *data, struct fdsession *session, int *fds, size_t n_fds)
{
	struct op_streams *streams = data;

	streams->fdsession = session;
	streams->n_client_fds = MIN(n_fds, ARRAY_LEN(streams->client_fds));
	for (size_t i = 0; i < streams->n_client_fds; i++)
		streams->client_fds[i] = TAKE_FD(fds[i]);
	check_all_there(streams);
}

static void line_arrived(void *data, const char *line)
{
	struct op_streams *streams = data;

	if (streams->on_line)
		streams->on_line(streams->data, line);
}

static void fds_closed(void *data)
{
	struct op_streams *streams = data;

	streams->fdsession = fdsession_free(streams->fdsession);
	if (streams->on_fds_closed)
		streams->on_fds_closed(streams->data);
}

static const struct fdsession_handler fds_handler = {
	.on_fds = fds_arrived,
	.on_line = line_arrived,
	.on_closed = fds_closed,
};

/* Not ended early by the first wrong character. */
static bool same_secret(const char *a, const char *b)
{
	unsigned char difference = 0;

	if (strlen(a) != strlen(b))
		return false;
	for (size_t i = 0; a[i]; i++)
		difference |= (unsigned char)(a[i] ^ b[i]);
	return difference == 0;
}

int op_streams_connect(struct op *op, const char *secret, struct http_req *req, struct err *err)
{
	struct op_stream *stream = NULL;
	int r = 0;

	strmap_for_each(entry, &op->fds) if (secret && same_secret(entry->value, secret) &&
					     op->streams) stream = find(op->streams, entry->key);
	if (!stream || stream->used)
		return err_kind(err, ERR_FORBIDDEN, "wrong or used secret for operation %s",
				op->id);
	if (streq(stream->name, STREAM_FDS)) {
		if (!fdsession_wanted(req))
			return err_kind(err, ERR_INVALID, "this stream takes Upgrade: %s",
					FDSESSION_PROTOCOL);
		fdsession_upgrade(req, &fds_handler, op->streams);
	} else {
		r = ws_upgrade(req, &socket_handler, stream, err);
	}
	if (r == 0)
		stream->used = true;
	return r;
}

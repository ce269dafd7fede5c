/*
 * core/op_streams.h - the WebSockets that clients open for an operation: exec and console
 *
 * Layer: core. Each stream has a secret, shown to the op's creator in its metadata.
 *
 *   W1  A stream is connected once; its secret is worth nothing afterwards.
 *   W2  A socket that closes before it was taken by op_stream_take() counts as gone, not as absent.
 */
#pragma once

#include <stdbool.h>

#include "aio/timer.h"
#include "aio/ws.h"
#include "core/op.h"

struct fdsession;
struct http_req;

enum {
	OP_STREAMS_MAX = 5,
	OP_STREAMS_WAIT_S = 30 /* a loaded machine takes its time between two requests */
};

struct op_stream {
	struct op_streams *streams;
	const char *name; /* "control", "0", "1", "2", "fds" */
	bool required;	  /* the command starts when all of these are there */
	bool used;	  /* the secret is spent */
	bool came;	  /* it was connected */
	bool gone;
	struct ws *ws; /* until it is taken */
};

struct op_streams {
	struct op *op;
	size_t n;
	struct op_stream list[OP_STREAMS_MAX];
	struct aio_timer timeout;

	/* the socket of @name is there; it may be taken from here on; NULL: taken later */
	void (*on_stream)(void *data, const char *name);
	/* messages on "control"; NULL: ignored */
	void (*on_control)(void *data, const char *text, size_t len);
	/* "control" was connected and is closed now */
	void (*on_control_closed)(void *data);

	/* the client of "fds" */
	struct fdsession *fdsession;
	int client_fds[3];
	size_t n_client_fds;
	void (*on_line)(void *data, const char *line);
	void (*on_fds_closed)(void *data);
	void *data;
};

void op_streams_init(struct op_streams *streams, struct op *op);
void op_streams_done(struct op_streams *streams);
void op_stream_add(struct op_streams *streams, const char *name, bool required);

/* Step of the op: wait for the required ones; fails after OP_STREAMS_WAIT_S. */
enum op_next op_streams_await(struct op_streams *streams);

/* The socket of @name, given away with its handlers replaced later; NULL when not connected. */
struct ws *op_stream_take(struct op_streams *streams, const char *name);
bool op_stream_is_open(const struct op_streams *streams, const char *name);

/* Close "control" in order, if it is there. */
void op_streams_close_control(struct op_streams *streams);

/*
 * A client wants the stream of @op with that secret.
 * Returns: 0, @req is given away. Errors: ERR_FORBIDDEN (wrong or spent secret), ERR_INVALID (no
 * handshake); @req is still to be answered.
 */
int op_streams_connect(struct op *op, const char *secret, struct http_req *req, struct err *err);

/*
 * monitor/ctl.h - connections of sysctrd (or of a test): spec/msg.h's protocol, the socket half
 *
 * Layer: monitor. Never blocks. What requests mean is in request.c.
 *
 *   K1  Events that a full connection cannot take are remembered as "state to be told", never
 *       queued; a connection whose answers do not fit is closed: its owner asks again.
 *   K2  A request that cannot be parsed closes its connection, nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "monitor/loop.h"
#include "spec/msg.h"

enum {
	CTL_CONNS_MAX = 16
};

struct ctl;

struct ctl_conn {
	struct source source;
	struct ctl *ctl;
	int fd;		  /* -EBADF: free */
	uint32_t id;	  /* of this connection among all there ever were */
	uint64_t pending; /* 1 << enum msg_type of events to be told */
};

/* A request: everything is borrowed, descriptors may be taken with TAKE_FD. */
struct ctl_request {
	struct ctl_conn *conn;
	uint32_t type;
	uint32_t serial;
	const struct msg *msg;
	int *fds; /* MSG_FDS_MAX; -EBADF where none came */
	size_t n_fds;
};

struct ctl {
	struct loop *loop;
	struct source source;
	int listen_fd;
	uint32_t last_id;
	struct ctl_conn conns[CTL_CONNS_MAX];
	char *in;	/* MSG_BYTES_MAX */
	struct buf out; /* MSG_BYTES_MAX reserved */
	void (*request)(void *data, const struct ctl_request *request);
	/* Make the event @type for @conn by ctl_send_event(); MSG_SESSION_EXIT: all that wait. */
	void (*event)(void *data, struct ctl_conn *conn, enum msg_type type);
	void (*alone)(void *data); /* the last connection is gone */
	void *data;
};

int ctl_init(struct ctl *ctl, struct loop *loop);
void ctl_done(struct ctl *ctl);

/* Accept connections on @listen_fd, which is the ctl's from now on. */
int ctl_listen(struct ctl *ctl, int listen_fd, struct err *err);

/* Serve @fd, which is the ctl's from now on; the current state is told at once (P3). */
int ctl_add(struct ctl *ctl, int fd);

bool ctl_has_conns(const struct ctl *ctl);

/* The connection with that id, NULL when it is gone. */
struct ctl_conn *ctl_find(struct ctl *ctl, uint32_t id);

/* Answer a request. @fds: go along, borrowed. @conn NULL: nobody waits any more. */
void ctl_answer(struct ctl_conn *conn, uint32_t serial, enum msg_type type, const struct msg *msg,
		const int *fds, size_t n_fds);
void ctl_answer_err(struct ctl_conn *conn, uint32_t serial, const struct err *err);

/* Returns: 0, or -EAGAIN: the connection is full and the event is pending. */
int ctl_send_event(struct ctl_conn *conn, enum msg_type type, const struct msg *msg);

/* Tell everybody that there is something new of that kind. */
void ctl_announce(struct ctl *ctl, enum msg_type type);

/*
 * aio/seqpkt.h - a connection of datagrams with descriptors: monitors and job reports (aio, sysctrd)
 *
 *   Q1  The queue of what the kernel did not take yet is bounded; a full queue is an error of the
 *       send, never a wait.
 *   Q2  on_closed comes once and last, on EOF or error; not after seqpkt_free().
 */
#pragma once

#include <stddef.h>

#include "aio/loop.h"
#include "base/err.h"

enum {
	SEQPKT_FDS_MAX = 8,
	SEQPKT_QUEUE_MAX = 256 /* datagrams */
};

struct seqpkt;

struct seqpkt_handler {
	/* @fds: whoever keeps one writes -EBADF over it (TAKE_FD); the rest is closed afterwards. */
	void (*on_message)(void *data, const void *bytes, size_t len, int *fds, size_t n_fds);
	/* @code: 0 for EOF, else -errno; -EMSGSIZE: a datagram longer than max_bytes. */
	void (*on_closed)(void *data, int code);
};

/* @fd: connected SOCK_SEQPACKET, taken. @handler outlives the connection. */
struct seqpkt *seqpkt_new(struct aio_loop *loop, int fd, size_t max_bytes,
			  const struct seqpkt_handler *handler, void *data);

/*
 * @fds: borrowed; they may be closed as soon as this returns.
 * Errors: -ENOBUFS: queue full; -EPIPE: closed; -EMSGSIZE: over 200 KiB.
 */
int seqpkt_send(struct seqpkt *conn, const void *bytes, size_t len, const int *fds, size_t n_fds);
struct seqpkt *seqpkt_free(struct seqpkt *conn); /* returns NULL */

/* Two connected ends, close-on-exec; end 0 non-blocking for seqpkt_new(), end 1 for a child. */
int seqpkt_pair(int ret_fds[2]);

/*
 * Connect to the socket at @path, of any length.
 * Errors: -ECONNREFUSED, -ENOENT: nobody listens.
 */
int seqpkt_connect(const char *path, int *ret_fd);

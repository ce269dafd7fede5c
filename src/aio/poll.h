/* aio/poll.h - readiness of a descriptor, level-triggered (aio, sysctrd) */
#pragma once

#include "aio/loop.h"

enum aio_ready {
	AIO_READ = 1 << 0,
	AIO_WRITE = 1 << 1,
	AIO_HANGUP = 1 << 2 /* the peer closed its sending side */
};

struct aio_poll;

/* @ready: some enum aio_ready bits; all wanted ones when the descriptor is in error. */
typedef void (*aio_poll_fn)(void *data, unsigned int ready);

/*
 * Watch @fd, which is made non-blocking, stays the caller's and is closed only after
 * aio_poll_free(). One watcher per descriptor and loop. Nothing is waited for until aio_poll_set().
 * Returns: NULL when @fd cannot be polled (a regular file) or is watched already.
 */
struct aio_poll *aio_poll_new(struct aio_loop *loop, int fd, aio_poll_fn fn, void *data);

/* @want: enum aio_ready bits; 0 pauses. */
void aio_poll_set(struct aio_poll *poll, unsigned int want);
struct aio_poll *aio_poll_free(struct aio_poll *poll); /* returns NULL */

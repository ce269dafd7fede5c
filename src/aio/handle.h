/*
 * aio/handle.h - what the objects of this layer share and nobody else sees: the libuv loop
 *
 * An object with a libuv handle is freed in two moves: x_free() takes its callbacks away, libuv's
 * close callback frees the memory on a later turn.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "aio/timer.h"
#include "base/list.h"
#include "base/vec.h"

enum {
	AIO_SCRATCH_BYTES = 256 * 1024
};

struct aio_loop {
	uv_loop_t uv;
	uv_timer_t tick; /* for the earliest timer */
	uv_idle_t turn;	 /* active while calls are deferred */
	struct list deferred;
	struct list children;
	VEC(struct aio_timer *) timers; /* binary heap by due_ns, then order */
	uint64_t next_order;
	bool fake;
	uint64_t fake_now_ns;
	int64_t fake_wall_ns;
	char *scratch;
};

/* AIO_SCRATCH_BYTES to receive into; good until the callback that got them returns. */
char *aio_loop_scratch(struct aio_loop *loop);

/* Children that their owners forgot and that outlive the loop. */
void aio_proc_abandon_all(struct aio_loop *loop);

/* It alone does not keep the loop running. */
struct aio_poll;
void aio_poll_unref(struct aio_poll *poll);

/* Timers of @loop that are due at @now_ns, each with its fn called. */
void aio_timers_run(struct aio_loop *loop, uint64_t now_ns);

/*
 * aio/timer.h - one-shot timers, embedded in their owner; all zero is a stopped timer
 *
 * Arming again replaces the old deadline. A deadline that is due is served on the next turn, so a
 * timer of 0 ns is a deferred call that can be cancelled.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aio/loop.h"

struct aio_timer {
	struct aio_loop *loop; /* NULL: not armed */
	uint64_t due_ns;
	uint64_t order; /* of arming, so that equal deadlines run first come first served */
	size_t slot;	/* in the loop's heap */
	aio_fn fn;
	void *data;
};

/* Call @fn once, @delay_ns from now. The owner stops the timer before its memory goes away. */
void aio_timer_start(struct aio_loop *loop, struct aio_timer *timer, uint64_t delay_ns, aio_fn fn,
		     void *data);

/* Harmless on a stopped timer; @fn will not run. */
void aio_timer_stop(struct aio_timer *timer);
bool aio_timer_armed(const struct aio_timer *timer);

/*
 * aio/loop.h - the event loop of sysctrd: one thread, libuv underneath, its thread pool unused
 *
 *   O1  Callbacks run from aio_loop_run() only, never from inside the call that arranged them.
 *   O2  After x_free() of any aio object none of its callbacks runs; free may be called from inside
 *       the object's own callback.
 */
#pragma once

#include <stdint.h>

struct aio_loop;
typedef void (*aio_fn)(void *data);

struct aio_loop *aio_loop_new(void);

/* Every object on the loop must be gone. Returns: NULL. */
struct aio_loop *aio_loop_free(struct aio_loop *loop);
void aio_loop_freep(struct aio_loop **loop);

/* Run until aio_loop_stop(), or until no timer, watcher or deferred call is left. */
void aio_loop_run(struct aio_loop *loop);

/* One turn: wait for something to happen (@wait) or only look. Returns: whether work is left. */
int aio_loop_turn(struct aio_loop *loop, int wait);
void aio_loop_stop(struct aio_loop *loop);

/* Call @fn on the next turn, in the order of the calls. @data outlives that. */
void aio_defer(struct aio_loop *loop, aio_fn fn, void *data);

/* Monotonic time of this turn; the fake clock's once that is set. */
uint64_t aio_now(const struct aio_loop *loop);

/* Since 1970. */
int64_t aio_wall_now(const struct aio_loop *loop);

/*
 * For tests: from now on time stands still and moves only here. Timers that become due run before
 * this returns, in order, each seeing its own due time as aio_now(). 0 only freezes.
 */
void aio_loop_advance(struct aio_loop *loop, uint64_t ns);

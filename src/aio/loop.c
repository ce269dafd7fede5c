/*
 * aio/loop.c - the event loop (aio, sysctrd; waits only in aio_loop_run() and aio_loop_turn())
 */
#include "aio/loop.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include "aio/handle.h"
#include "base/mem.h"
#include "base/time.h"

struct deferred {
	struct list node;
	aio_fn fn;
	void *data;
};

/* Only what was deferred before this turn: a call that defers again must not starve the rest. */
static void on_turn(uv_idle_t *handle)
{
	struct aio_loop *loop = container_of(handle, struct aio_loop, turn);
	struct list *last = loop->deferred.prev;

	while (!list_empty(&loop->deferred)) {
		struct deferred *call = list_entry(loop->deferred.next, struct deferred, node);
		bool was_last = &call->node == last;

		list_remove(&call->node);
		call->fn(call->data);
		free(call);
		if (was_last)
			break;
	}
	if (list_empty(&loop->deferred))
		(void)uv_idle_stop(&loop->turn);
}

struct aio_loop *aio_loop_new(void)
{
	struct aio_loop *loop = xcalloc(1, sizeof(*loop));

	/* A reader that went away is an error of the write, not the end of the process. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (uv_loop_init(&loop->uv) < 0)
		abort();
	(void)uv_timer_init(&loop->uv, &loop->tick);
	(void)uv_idle_init(&loop->uv, &loop->turn);
	list_init(&loop->deferred);
	list_init(&loop->children);
	return loop;
}

struct aio_loop *aio_loop_free(struct aio_loop *loop)
{
	if (!loop)
		return NULL;
	uv_close((uv_handle_t *)&loop->tick, NULL);
	uv_close((uv_handle_t *)&loop->turn, NULL);
	aio_proc_abandon_all(loop);
	while (uv_loop_close(&loop->uv) == UV_EBUSY) {
		/* Only closing handles may be left; anything else is an object its owner forgot. */
		int left = uv_run(&loop->uv, UV_RUN_NOWAIT);

		assert(!left || uv_loop_alive(&loop->uv));
	}
	while (!list_empty(&loop->deferred)) {
		struct deferred *call = list_entry(loop->deferred.next, struct deferred, node);

		list_remove(&call->node);
		free(call);
	}
	free(loop->timers.items);
	free(loop->scratch);
	free(loop);
	return NULL;
}

void aio_loop_freep(struct aio_loop **loop)
{
	*loop = aio_loop_free(*loop);
}

void aio_loop_run(struct aio_loop *loop)
{
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

int aio_loop_turn(struct aio_loop *loop, int wait)
{
	return uv_run(&loop->uv, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

void aio_loop_stop(struct aio_loop *loop)
{
	uv_stop(&loop->uv);
}

void aio_defer(struct aio_loop *loop, aio_fn fn, void *data)
{
	struct deferred *call = xcalloc(1, sizeof(*call));

	call->fn = fn;
	call->data = data;
	list_append(&loop->deferred, &call->node);
	(void)uv_idle_start(&loop->turn, on_turn);
}

uint64_t aio_now(const struct aio_loop *loop)
{
	return loop->fake ? loop->fake_now_ns : time_mono_ns();
}

int64_t aio_wall_now(const struct aio_loop *loop)
{
	return loop->fake ? loop->fake_wall_ns : time_wall_ns();
}

static void set_fake_now(struct aio_loop *loop, uint64_t now_ns)
{
	loop->fake_wall_ns += (int64_t)(now_ns - loop->fake_now_ns);
	loop->fake_now_ns = now_ns;
}

void aio_loop_advance(struct aio_loop *loop, uint64_t ns)
{
	if (!loop->fake) {
		loop->fake_now_ns = time_mono_ns();
		loop->fake_wall_ns = time_wall_ns();
		loop->fake = true;
		(void)uv_timer_stop(&loop->tick);
	}
	uint64_t target_ns = loop->fake_now_ns + ns;

	while (loop->timers.len > 0 && loop->timers.items[0]->due_ns <= target_ns) {
		set_fake_now(loop, MAX(loop->fake_now_ns, loop->timers.items[0]->due_ns));
		aio_timers_run(loop, loop->fake_now_ns);
	}
	set_fake_now(loop, target_ns);
}

char *aio_loop_scratch(struct aio_loop *loop)
{
	if (!loop->scratch)
		loop->scratch = xmalloc(AIO_SCRATCH_BYTES);
	return loop->scratch;
}

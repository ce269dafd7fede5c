/*
 * aio/timer.c - all timers of a loop in one heap behind one libuv timer (aio, sysctrd)
 */
#include "aio/timer.h"

#include "aio/handle.h"
#include "base/time.h"

static bool before(const struct aio_timer *a, const struct aio_timer *b)
{
	if (a->due_ns != b->due_ns)
		return a->due_ns < b->due_ns;
	return a->order < b->order;
}

static void put(struct aio_loop *loop, struct aio_timer *timer, size_t slot)
{
	loop->timers.items[slot] = timer;
	timer->slot = slot;
}

static void sift_up(struct aio_loop *loop, struct aio_timer *timer, size_t slot)
{
	while (slot > 0 && before(timer, loop->timers.items[(slot - 1) / 2])) {
		put(loop, loop->timers.items[(slot - 1) / 2], slot);
		slot = (slot - 1) / 2;
	}
	put(loop, timer, slot);
}

static void sift_down(struct aio_loop *loop, struct aio_timer *timer, size_t slot)
{
	for (;;) {
		size_t child = 2 * slot + 1;

		if (child + 1 < loop->timers.len &&
		    before(loop->timers.items[child + 1], loop->timers.items[child]))
			child++;
		if (child >= loop->timers.len || !before(loop->timers.items[child], timer))
			break;
		put(loop, loop->timers.items[child], slot);
		slot = child;
	}
	put(loop, timer, slot);
}

static void on_tick(uv_timer_t *handle);

/* Let libuv wake us for the earliest timer; rounded up, so that it is due by then. */
static void arm_tick(struct aio_loop *loop)
{
	if (loop->fake)
		return;
	if (loop->timers.len == 0) {
		(void)uv_timer_stop(&loop->tick);
		return;
	}
	uint64_t now_ns = time_mono_ns();
	uint64_t due_ns = loop->timers.items[0]->due_ns;
	uint64_t delay_ns = due_ns > now_ns ? due_ns - now_ns : 0;

	uv_update_time(&loop->uv);
	(void)uv_timer_start(&loop->tick, on_tick, (delay_ns + NS_PER_MS - 1) / NS_PER_MS, 0);
}

static void take_out(struct aio_timer *timer)
{
	struct aio_loop *loop = timer->loop;
	struct aio_timer *last = loop->timers.items[--loop->timers.len];

	if (last != timer) {
		if (before(last, timer))
			sift_up(loop, last, timer->slot);
		else
			sift_down(loop, last, timer->slot);
	}
	timer->loop = NULL;
}

void aio_timers_run(struct aio_loop *loop, uint64_t now_ns)
{
	uint64_t first_new = loop->next_order;

	/* What is armed by these calls waits for the next turn, even with no delay. */
	while (loop->timers.len > 0) {
		struct aio_timer *timer = loop->timers.items[0];

		if (timer->due_ns > now_ns || timer->order >= first_new)
			break;
		take_out(timer);
		timer->fn(timer->data);
	}
	arm_tick(loop);
}

static void on_tick(uv_timer_t *handle)
{
	struct aio_loop *loop = container_of(handle, struct aio_loop, tick);

	aio_timers_run(loop, time_mono_ns());
}

void aio_timer_start(struct aio_loop *loop, struct aio_timer *timer, uint64_t delay_ns, aio_fn fn,
		     void *data)
{
	uint64_t now_ns = aio_now(loop);

	aio_timer_stop(timer);
	timer->loop = loop;
	timer->due_ns = delay_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + delay_ns;
	timer->order = loop->next_order++;
	timer->fn = fn;
	timer->data = data;
	(void)vec_push(&loop->timers);
	sift_up(loop, timer, loop->timers.len - 1);
	if (timer->slot == 0)
		arm_tick(loop);
}

void aio_timer_stop(struct aio_timer *timer)
{
	struct aio_loop *loop = timer->loop;

	if (!loop)
		return;
	bool was_first = timer->slot == 0;

	take_out(timer);
	if (was_first)
		arm_tick(loop);
}

bool aio_timer_armed(const struct aio_timer *timer)
{
	return timer->loop != NULL;
}

/*
 * tests/unit/core/test_scheduler.c - the scheduler on a fake clock: days on which the clock is changed,
 * clocks that jump, hosts that sleep, runs that fail, more instances than turns
 *
 * The loop, the database and what is snapshotted are stand-ins; schedules are the real ones.
 */
#include "core/scheduler.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "aio/loop.h"
#include "aio/timer.h"
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/op.h"
#include "core/scheduled.h"
#include "core/warning.h"
#include "db/snapshots.h"

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"

enum {
	MADE_MAX = 4096,
	OPS_MAX = 8,
	MINUTE_S = 60,
	HOUR_S = 3600,
	DAY_S = 24 * HOUR_S,
	JITTER_S = 20 + 10 /* and until somebody looks */
};

/* What has a schedule. */
struct thing {
	struct strmap config;
	struct schedule_state state;
	bool fails;
	int64_t made_wall_s[MADE_MAX];
	size_t n_made;
};

static struct {
	struct core core;
	struct strmap things;
	uint64_t now_ns;
	int64_t wall_ns;
	struct aio_timer *timer;
	struct op ops[OPS_MAX]; /* that run; busy until finish_all() */
	struct op_waiter *waiters[OPS_MAX];
	size_t n_ops, most_ops;
	size_t warnings; /* told less resolved */
} world;

/* ---- stand-ins ---- */

uint64_t aio_now(const struct aio_loop *loop)
{
	(void)loop;
	return world.now_ns;
}

int64_t aio_wall_now(const struct aio_loop *loop)
{
	(void)loop;
	return world.wall_ns;
}

void aio_timer_start(struct aio_loop *loop, struct aio_timer *timer, uint64_t delay_ns, aio_fn fn,
		     void *data)
{
	(void)loop;
	timer->due_ns = world.now_ns + delay_ns;
	timer->fn = fn;
	timer->data = data;
	world.timer = timer;
}

void aio_timer_stop(struct aio_timer *timer)
{
	(void)timer;
	world.timer = NULL;
}

void aio_defer(struct aio_loop *loop, aio_fn fn, void *data)
{
	(void)loop;
	fn(data);
}

void core_warn(struct core *core, const char *type, const char *entity, const char *message)
{
	(void)core;
	(void)type;
	(void)entity;
	world.warnings = message ? world.warnings + 1 : 0;
}

int db_run_set(struct db *db, const struct db_runs *runs, int64_t id, const char *schedule,
	       int64_t next_wall_ns, struct err *err)
{
	(void)db;
	(void)runs;
	(void)id;
	(void)schedule;
	(void)next_wall_ns;
	(void)err;
	return 0;
}

int db_runs_load(struct db *db, const struct db_runs *runs,
		 void (*take)(void *data, int64_t id, const char *schedule, int64_t next_wall_ns),
		 void *data, struct err *err)
{
	(void)db;
	(void)runs;
	(void)take;
	(void)data;
	(void)err;
	return 0;
}

void op_wait(struct op *op, struct op_waiter *waiter)
{
	world.waiters[op - world.ops] = waiter;
}

static const struct strmap *all_things(const struct core *core)
{
	(void)core;
	return &world.things;
}

static char *entity_of(const char *key)
{
	return xstrdup(key);
}

static bool is_always(const void *object)
{
	(void)object;
	return true;
}

static bool is_never(const void *object)
{
	(void)object;
	return false;
}

static void add_none(const void *object, struct scheduled_snaps *snaps)
{
	(void)object;
	(void)snaps;
}

static int create(void *object, struct op **ret_op, struct err *err)
{
	struct thing *thing = object;
	struct op *op = &world.ops[world.n_ops];

	(void)err;
	assert_true(world.n_ops < OPS_MAX && thing->n_made < MADE_MAX);
	*op = (struct op){ .core = &world.core, .status = thing->fails ? OP_FAILURE : OP_SUCCESS };
	if (!thing->fails)
		thing->made_wall_s[thing->n_made++] = world.wall_ns / NS_PER_S;
	world.n_ops++;
	world.most_ops = MAX(world.most_ops, world.n_ops);
	*ret_op = op;
	return 0;
}

static const struct scheduled_kind kind = {
	.all = all_things,
	.entity = entity_of,
	.is_there = is_always,
	.is_busy = is_never,
	.is_skipped = is_never,
	.add_snaps = add_none,
	.create = create,
};
const struct scheduled_kind *const scheduled_kinds[] = { &kind, NULL };

struct scheduled scheduled_of(const struct scheduled_kind *of, struct core *core, const char *key,
			      void *object)
{
	struct thing *thing = object;

	return (struct scheduled){ .kind = of,
				   .core = core,
				   .object = object,
				   .key = key,
				   .config = &thing->config,
				   .state = &thing->state };
}

struct scheduled scheduled_inst(struct inst *inst)
{
	(void)inst;
	return (struct scheduled){ 0 };
}

bool scheduled_is_skipped(const struct scheduled *scheduled)
{
	return scheduled->kind->is_skipped(scheduled->object);
}

/* ---- the world ---- */

static int64_t wall_s(const char *text)
{
	int64_t ns;

	assert_int_equal(time_parse_rfc3339(text, &ns), 0);
	return ns / NS_PER_S;
}

static struct thing *add(const char *name, const char *schedule)
{
	struct thing *thing = xcalloc(1, sizeof(*thing));

	strmap_set(&thing->config, "snapshots.schedule", schedule);
	strmap_set_take(&world.things, name, thing);
	return thing;
}

static void begin(const char *tz, const char *now)
{
	memset(&world, 0, sizeof(world));
	assert_int_equal(setenv("TZ", tz, 1), 0);
	tzset();
	world.wall_ns = wall_s(now) * NS_PER_S;
	world.core.scheduler = scheduler_new(&world.core);
	scheduler_start(world.core.scheduler);
}

static void end(void)
{
	strmap_for_each(entry, &world.things)
	{
		struct thing *thing = entry->value;

		strmap_done(&thing->config);
		free(thing->state.text);
	}
	strmap_done(&world.things);
	world.core.scheduler = scheduler_free(world.core.scheduler);
}

/* All that runs ends; what begins then is busy. */
static void finish_all(void)
{
	size_t n = world.n_ops;

	world.n_ops = 0;
	for (size_t i = 0; i < n; i++)
		world.waiters[i]->done(world.waiters[i], &world.ops[i]);
}

/* Time passes, on both clocks alike. Each operation takes until the next look at the timer. */
static void pass(int64_t seconds)
{
	uint64_t until = world.now_ns + (uint64_t)seconds * NS_PER_S;

	while (world.timer && world.timer->due_ns <= until) {
		struct aio_timer *timer = world.timer;
		uint64_t by = timer->due_ns > world.now_ns ? timer->due_ns - world.now_ns : 0;

		world.now_ns += by;
		world.wall_ns += (int64_t)by;
		timer->fn(timer->data);
		finish_all();
	}
	world.wall_ns += (int64_t)(until - world.now_ns);
	world.now_ns = until;
}

/* The wall clock is set, or goes on while the host sleeps; nothing here notices the time between. */
static void jump(int64_t seconds)
{
	world.wall_ns += seconds * NS_PER_S;
}

/* It was made at these times, as UTC, each with at most the jitter. */
static void assert_made(const struct thing *thing, const char *const *expected)
{
	size_t n = 0;

	for (; expected[n]; n++) {
		int64_t late = thing->made_wall_s[n] - wall_s(expected[n]);

		if (n >= thing->n_made || late < 0 || late > JITTER_S)
			fail_msg("run %zu of %zu is not at %s but %" PRId64 " s later", n,
				 thing->n_made, expected[n], late);
	}
	assert_int_equal(thing->n_made, n);
}

#define MADE(thing, ...) assert_made(thing, (const char *const[]){ __VA_ARGS__, NULL })

/* ---- the tests ---- */

static void test_spring_and_autumn(void **state)
{
	struct thing *hourly, *nightly;

	(void)state;
	begin(BERLIN, "2026-03-28T12:00:30Z");
	hourly = add("hourly", "@hourly");
	nightly = add("nightly", "30 2 * * *");
	pass(2 * DAY_S); /* 02:30 is skipped on the 29th: when the gap is over */
	MADE(nightly, "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z");
	assert_int_equal(hourly->n_made, 48);
	end();
	begin(BERLIN, "2026-10-24T12:00:30Z");
	hourly = add("hourly", "@hourly");
	nightly = add("nightly", "30 2 * * *");
	pass(2 * DAY_S); /* 02:30 is there twice on the 25th */
	MADE(nightly, "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
	assert_int_equal(hourly->n_made, 48);
	end();
}

static void test_leap_day(void **state)
{
	struct thing *leap, *daily;

	(void)state;
	begin("UTC", "2028-02-27T12:00:00Z");
	leap = add("leap", "0 3 29 2 *");
	daily = add("daily", "@daily");
	pass(4 * DAY_S);
	MADE(leap, "2028-02-29T03:00:00Z");
	MADE(daily, "2028-02-28T00:00:00Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z",
	     "2028-03-02T00:00:00Z");
	end();
}

/* lxd#5761, lxd#11601: no minute is missed, and none drifts. */
static void test_every_minute(void **state)
{
	struct thing *thing;

	(void)state;
	begin("UTC", "2026-11-26T11:59:59Z");
	thing = add("every", "* * * * *");
	pass(6 * HOUR_S + JITTER_S);
	assert_int_equal(thing->n_made, 6 * 60);
	for (size_t i = 1; i < thing->n_made; i++)
		assert_int_equal(thing->made_wall_s[i] / MINUTE_S,
				 thing->made_wall_s[i - 1] / MINUTE_S + 1);
	end();
}

static void test_sleep(void **state)
{
	struct thing *hourly;

	(void)state;
	begin("UTC", "2026-11-26T12:10:00Z");
	hourly = add("hourly", "@hourly");
	pass(HOUR_S);
	jump(5 * HOUR_S + 20 * MINUTE_S); /* until 18:30 */
	pass(HOUR_S);
	MADE(hourly, "2026-11-26T13:00:00Z", "2026-11-26T18:30:00Z", "2026-11-26T19:00:00Z");
	end();
}

static void test_clock_set_back(void **state)
{
	struct thing *daily;

	(void)state;
	begin("UTC", "2030-06-01T12:00:00Z"); /* it was wrong, and the daemon began with it */
	daily = add("daily", "@daily");
	pass(HOUR_S);
	jump(wall_s("2026-11-26T12:00:00Z") - wall_s("2030-06-01T13:00:00Z"));
	pass(DAY_S);
	MADE(daily, "2026-11-27T00:00:00Z");
	end();
}

static void test_clock_set_forward(void **state)
{
	struct thing *daily;

	(void)state;
	begin("UTC",
	      "1970-01-01T00:00:30Z"); /* a board without a clock, before the network is up */
	daily = add("daily", "@daily");
	pass(10 * MINUTE_S);
	jump(wall_s("2026-11-26T12:00:00Z") - wall_s("1970-01-01T00:10:30Z"));
	pass(DAY_S);
	MADE(daily, "2026-11-26T12:00:00Z", "2026-11-27T00:00:00Z");
	end();
}

static void test_small_steps(void **state)
{
	struct thing *hourly;

	(void)state;
	begin("UTC", "2026-11-26T12:59:00Z");
	hourly = add("hourly", "@hourly");
	pass(MINUTE_S + JITTER_S); /* made at 13:00 */
	jump(-90);		   /* a quarter to, once more */
	pass(5 * MINUTE_S);
	assert_true(hourly->n_made <= 2);
	pass(2 * HOUR_S);
	assert_true(hourly->n_made >= 3 && hourly->n_made <= 4);
	end();
}

static void test_schedule_changes(void **state)
{
	struct thing *thing;
	struct scheduled one;

	(void)state;
	begin("UTC", "2026-11-26T12:10:00Z");
	thing = add("thing", "@hourly");
	pass(MINUTE_S);
	strmap_set(&thing->config, "snapshots.schedule", "15 12 * * *");
	one = scheduled_of(&kind, &world.core, "thing", thing);
	assert_true(scheduler_next_wall_ns(&one) / NS_PER_S - wall_s("2026-11-26T12:15:00Z") <
		    JITTER_S);
	pass(2 * HOUR_S);
	MADE(thing, "2026-11-26T12:15:00Z");
	strmap_set(&thing->config, "snapshots.schedule", "");
	pass(2 * DAY_S);
	assert_int_equal(thing->n_made, 1);
	end();
}

static void test_failures(void **state)
{
	struct thing *bad, *good;

	(void)state;
	begin("UTC", "2026-11-26T12:10:00Z");
	bad = add("bad", "@hourly");
	good = add("good", "@hourly");
	bad->fails = true;
	pass(3 * HOUR_S);
	assert_int_equal(bad->n_made, 0);
	assert_int_equal(good->n_made, 3);
	bad->fails = false;
	pass(HOUR_S);
	assert_int_equal(bad->n_made, 1);
	assert_int_equal(world.warnings, 0);
	end();
}

/* Each has its run in each hour, however many there are, and never more than two at once. */
static void test_many(void **state)
{
	enum {
		MANY = 500
	};

	(void)state;
	begin("UTC", "2026-11-26T12:10:00Z");
	for (int i = 0; i < MANY; i++) {
		_cleanup_(freep) char *name = xasprintf("many%03d", i);

		(void)add(name, "@hourly");
	}
	pass(4 * HOUR_S);
	strmap_for_each(entry, &world.things)
		assert_int_equal(((struct thing *)entry->value)->n_made, 4);
	assert_int_equal(world.most_ops, 2);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spring_and_autumn), cmocka_unit_test(test_leap_day),
		cmocka_unit_test(test_every_minute),	  cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_clock_set_back),	  cmocka_unit_test(test_clock_set_forward),
		cmocka_unit_test(test_small_steps),	  cmocka_unit_test(test_schedule_changes),
		cmocka_unit_test(test_failures),	  cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* core/scheduler.c - see scheduler.h */
#include "core/scheduler.h"

#include <inttypes.h>
#include <stdlib.h>

#include "aio/loop.h"
#include "aio/timer.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/scheduled.h"
#include "core/warning.h"
#include "db/snapshots.h"
#include "spec/keys.h"
#include "spec/retention.h"
#include "spec/schedule.h"

enum {
	RUNS_MAX = 2,
	JITTER_S = 20, /* less than a minute, so that every minute has its run */
	BACK_S = 5     /* the clock was set back by more */
};

#define TICK_NS (10 * (uint64_t)NS_PER_S)
#define WARNING "Scheduled snapshot failed"

struct scheduler {
	struct core *core;
	struct aio_timer timer;
	size_t running;
	bool behind; /* somebody waits for a run to end */
	int64_t last_wall_ns;
	bool checked; /* what was stored has been compared with the clock */
};

/* Somebody who has something to do. */
struct candidate {
	struct scheduled one;
	bool due;
	int64_t since_wall_ns;
};

struct candidates {
	VEC(struct candidate) list;
};

/* One's turn: first what goes, then what is made. */
struct run {
	struct scheduler *scheduler;
	struct op_waiter waiter;
	const struct scheduled_kind *kind;
	char *key;
	bool creates;
	bool failed; /* what goes could not go */
};

/* ---- when ---- */

static const char *schedule_text(const struct scheduled *one)
{
	return keys_get(one->config, "snapshots.schedule", "");
}

/* Always the same for one, so that its snapshots stay apart by whole hours and days. */
static int64_t jitter_ns(const struct scheduled *one)
{
	uint32_t hash = 2166136261U;

	for (const char *p = one->key; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619U;
	return (int64_t)(hash % JITTER_S) * NS_PER_S;
}

static void set_next(const struct scheduled *one, const char *schedule, int64_t next_wall_ns)
{
	struct err err = { 0 };

	if (db_run_set(one->core->db, one->kind->runs, one->id, schedule, next_wall_ns, &err) < 0)
		log_error(((struct log_keys){ .inst = one->key }), "store its next snapshot: %s",
			  err.msg);
	replace_str(&one->state->text, schedule);
	one->state->next_wall_ns = next_wall_ns;
}

static void compute_next(const struct scheduled *one, int64_t now_wall_ns)
{
	const char *text = schedule_text(one);
	struct schedule schedule;
	int64_t next_s = 0;

	if (schedule_parse(text, &schedule, NULL) == 0) /* it was checked when it was set */
		next_s = schedule_next(&schedule, now_wall_ns / NS_PER_S);
	set_next(one, *text ? text : NULL, next_s * NS_PER_S);
}

/* @doubt: the clock has jumped, or the daemon has just begun. */
static void refresh(const struct scheduled *one, int64_t now_wall_ns, bool doubt)
{
	const char *text = schedule_text(one);

	if (!streq(one->state->text ? one->state->text : "", text) ||
	    (doubt && *text && one->state->next_wall_ns > now_wall_ns))
		compute_next(one, now_wall_ns);
}

int64_t scheduler_next_wall_ns(const struct scheduled *one)
{
	if (one->kind->is_there(one->object)) /* who asks has perhaps just set it */
		refresh(one, aio_wall_now(one->core->loop), false);
	if (one->state->next_wall_ns == 0)
		return 0;
	return one->state->next_wall_ns + jitter_ns(one);
}

static bool is_due(const struct scheduled *one, int64_t now_wall_ns)
{
	int64_t next = scheduler_next_wall_ns(one);

	return one->state->at_start || (next > 0 && next <= now_wall_ns);
}

/* ---- what goes ---- */

static bool has_expired(const struct scheduled_snap *snapshot, int64_t at_wall_ns)
{
	return snapshot->expires_wall_ns > 0 && snapshot->expires_wall_ns <= at_wall_ns;
}

static char **expired_list(const struct scheduled_snaps *snaps, int64_t at_wall_ns)
{
	char **names = NULL;

	vec_for_each(snapshot, &snaps->list)
		if (has_expired(snapshot, at_wall_ns))
			strv_push(&names, snapshot->name);
	return names;
}

/* Those that snapshots.keep lets go, counting one that is made at that time; newest first. */
static void add_surplus(const struct scheduled_snaps *snaps, const struct retention *retention,
			int64_t at_wall_ns, char ***names)
{
	size_t n = 1, max = snaps->list.len + 1;
	_cleanup_(freep) const struct scheduled_snap **list = xcalloc(max, sizeof(*list));
	_cleanup_(freep) int64_t *times_s = xcalloc(max, sizeof(*times_s));
	_cleanup_(freep) bool *keep = xcalloc(max, sizeof(*keep));

	times_s[0] = at_wall_ns / NS_PER_S;
	for (size_t i = snaps->list.len; i > 0; i--) {
		const struct scheduled_snap *snapshot = &snaps->list.items[i - 1];

		if (!snapshot->scheduled || has_expired(snapshot, at_wall_ns))
			continue;
		list[n] = snapshot;
		times_s[n++] = snapshot->created_wall_ns / NS_PER_S;
	}
	retention_choose(retention, times_s, n, keep);
	for (size_t i = 1; i < n; i++)
		if (!keep[i])
			strv_push(names, list[i]->name);
}

/* @surplus: what snapshots.keep lets go too. */
static char **prune_list(const struct scheduled *one, int64_t at_wall_ns, bool surplus)
{
	const char *text = surplus ? keys_get(one->config, "snapshots.keep", NULL) : NULL;
	struct scheduled_snaps snaps = { 0 };
	struct retention retention;
	char **names;

	one->kind->add_snaps(one->object, &snaps);
	names = expired_list(&snaps, at_wall_ns);
	if (text && retention_parse(text, &retention, NULL) == 0)
		add_surplus(&snaps, &retention, at_wall_ns, &names);
	free(snaps.list.items);
	return names;
}

char **scheduler_prune_list(const struct scheduled *one, int64_t at_wall_ns)
{
	return prune_list(one, at_wall_ns, true);
}

/* ---- one run ---- */

/* Returns: whether it is still there. */
static bool find(const struct run *run, struct scheduled *ret_one)
{
	struct core *core = run->scheduler->core;
	void *object = strmap_get(run->kind->all(core), run->key);

	if (object)
		*ret_one = scheduled_of(run->kind, core, run->key, object);
	return object;
}

static void warn(const struct run *run, const char *message)
{
	_cleanup_(freep) char *entity = run->kind->entity(run->key);

	core_warn(run->scheduler->core, WARNING, entity, message);
}

static void run_free(struct run *run)
{
	free(run->key);
	free(run);
}

static void tick(void *data);

/* @message: why it failed; NULL: it did not. */
static void run_over(struct run *run, const char *message)
{
	struct scheduler *scheduler = run->scheduler;
	struct scheduled one;

	scheduler->running--;
	if (scheduler->behind)
		aio_timer_start(scheduler->core->loop, &scheduler->timer, 0, tick, scheduler);
	if (find(run, &one)) {
		one.state->runs = false;
		one.state->rests_until_ns =
			run->failed || message ? aio_now(one.core->loop) + TICK_NS : 0;
		if (run->creates) {
			one.state->at_start = false;
			compute_next(&one, aio_wall_now(run->scheduler->core->loop));
		}
		if (message || (run->creates && !run->failed))
			warn(run, message);
	}
	run_free(run);
}

static void created(struct op_waiter *waiter, struct op *op)
{
	run_over(container_of(waiter, struct run, waiter),
		 op->status == OP_SUCCESS ? NULL : op->err.msg);
}

static void create(void *data)
{
	struct run *run = data;
	struct scheduled one;
	struct err err = { 0 };
	struct op *op;

	if (!find(run, &one) || one.core->shutting_down ||
	    run->kind->create(one.object, &op, &err) < 0) {
		run_over(run, err.code < 0 ? err.msg : NULL);
		return;
	}
	run->waiter.done = created;
	op_wait(op, &run->waiter);
}

static void pruned(struct op_waiter *waiter, struct op *op)
{
	struct run *run = container_of(waiter, struct run, waiter);

	if (op->status != OP_SUCCESS) {
		run->failed = true;
		warn(run, op->err.msg);
	}
	if (run->creates)
		aio_defer(op->core->loop, create, run); /* it is free by then */
	else
		run_over(run, NULL);
}

static void start_run(struct scheduler *scheduler, const struct scheduled *one, char *const *prune,
		      bool creates)
{
	struct run *run = xcalloc(1, sizeof(*run));
	struct err err = { 0 };
	struct op *op;

	run->scheduler = scheduler;
	run->kind = one->kind;
	run->key = xstrdup(one->key);
	run->creates = creates;
	scheduler->running++;
	one->state->runs = true;
	if (!prune) {
		create(run);
		return;
	}
	if (one->kind->prune(one->object, prune, &op, &err) < 0) {
		run_over(run, err.msg);
		return;
	}
	run->waiter.done = pruned;
	op_wait(op, &run->waiter);
}

/* ---- the clock ---- */

/* When the first of them expired, 0 for none has. */
static int64_t expired_since(const struct scheduled *one, int64_t now_wall_ns)
{
	struct scheduled_snaps snaps = { 0 };
	int64_t first = 0;

	one->kind->add_snaps(one->object, &snaps);
	vec_for_each(snapshot, &snaps.list)
		if (has_expired(snapshot, now_wall_ns) &&
		    (first == 0 || snapshot->expires_wall_ns < first))
			first = snapshot->expires_wall_ns;
	free(snaps.list.items);
	return first;
}

static void consider(const struct scheduled *one, int64_t now_wall_ns,
		     struct candidates *candidates)
{
	struct candidate candidate = { .one = *one, .due = is_due(one, now_wall_ns) };

	if (candidate.due && scheduled_is_skipped(one)) {
		one->state->at_start = false;
		compute_next(one, now_wall_ns);
		candidate.due = false;
	}
	candidate.since_wall_ns =
		candidate.due ? (one->state->at_start ? now_wall_ns : one->state->next_wall_ns)
			      : expired_since(one, now_wall_ns);
	if (candidate.since_wall_ns > 0)
		*vec_push(&candidates->list) = candidate;
}

static void look_at(const struct scheduled *one, int64_t now_wall_ns, bool doubt,
		    struct candidates *candidates)
{
	if (!one->kind->is_there(one->object))
		return;
	if (one->kind->tidy)
		one->kind->tidy(one->object);
	refresh(one, now_wall_ns, doubt);
	/* Who is busy, or starting, or has just failed, is looked at again. */
	if (!one->state->runs && !one->kind->is_busy(one->object) &&
	    one->state->rests_until_ns <= aio_now(one->core->loop))
		consider(one, now_wall_ns, candidates);
}

static int compare_candidates(const void *a, const void *b)
{
	int64_t since_a = ((const struct candidate *)a)->since_wall_ns;
	int64_t since_b = ((const struct candidate *)b)->since_wall_ns;

	return (since_a > since_b) - (since_a < since_b);
}

/* Who has waited longest first, so that everybody's turn comes however many there are. */
static void start_runs(struct scheduler *scheduler, struct candidates *candidates,
		       int64_t now_wall_ns)
{
	if (candidates->list.len > 1)
		qsort(candidates->list.items, candidates->list.len, sizeof(*candidates->list.items),
		      compare_candidates);
	scheduler->behind = false;
	vec_for_each(candidate, &candidates->list) {
		_cleanup_(strv_freep) char **prune = NULL;

		if (scheduler->running == RUNS_MAX) {
			scheduler->behind = true;
			break;
		}
		prune = prune_list(&candidate->one, now_wall_ns, candidate->due);
		start_run(scheduler, &candidate->one, prune, candidate->due);
	}
}

static void tick(void *data)
{
	struct scheduler *scheduler = data;
	struct core *core = scheduler->core;
	struct candidates candidates = { 0 };
	int64_t now = aio_wall_now(core->loop);
	bool doubt =
		!scheduler->checked || now < scheduler->last_wall_ns - (int64_t)BACK_S * NS_PER_S;

	scheduler->checked = true;
	scheduler->last_wall_ns = now;
	aio_timer_start(core->loop, &scheduler->timer, TICK_NS, tick, scheduler);
	for (const struct scheduled_kind *const *kind = scheduled_kinds; *kind; kind++) {
		strmap_for_each(entry, (*kind)->all(core))
		{
			struct scheduled one = scheduled_of(*kind, core, entry->key, entry->value);

			look_at(&one, now, doubt, &candidates);
		}
	}
	if (!core->shutting_down)
		start_runs(scheduler, &candidates, now);
	free(candidates.list.items);
}

void scheduler_inst_started(struct inst *inst)
{
	struct scheduler *scheduler = inst->core->scheduler;
	struct scheduled one = scheduled_inst(inst);
	struct schedule schedule;

	if (schedule_parse(schedule_text(&one), &schedule, NULL) < 0 || !schedule.startup ||
	    schedule.never)
		return;
	one.state->at_start = true;
	aio_timer_start(inst->core->loop, &scheduler->timer, NS_PER_S, tick, scheduler);
}

struct scheduler *scheduler_new(struct core *core)
{
	struct scheduler *scheduler = xcalloc(1, sizeof(*scheduler));

	scheduler->core = core;
	return scheduler;
}

void scheduler_start(struct scheduler *scheduler)
{
	aio_timer_start(scheduler->core->loop, &scheduler->timer, NS_PER_S, tick, scheduler);
}

struct scheduler *scheduler_free(struct scheduler *scheduler)
{
	if (!scheduler)
		return NULL;
	aio_timer_stop(&scheduler->timer);
	free(scheduler);
	return NULL;
}

struct loading {
	struct core *core;
	const struct scheduled_kind *kind;
};

static void take_run(void *data, int64_t id, const char *schedule, int64_t next_wall_ns)
{
	const struct loading *loading = data;

	strmap_for_each(entry, loading->kind->all(loading->core))
	{
		struct scheduled one =
			scheduled_of(loading->kind, loading->core, entry->key, entry->value);

		if (one.id != id)
			continue;
		replace_str(&one.state->text, schedule);
		one.state->next_wall_ns = next_wall_ns;
	}
}

int scheduler_load(struct core *core, struct err *err)
{
	int r = 0;

	for (const struct scheduled_kind *const *kind = scheduled_kinds; *kind && r == 0; kind++) {
		struct loading loading = { core, *kind };

		r = db_runs_load(core->db, (*kind)->runs, take_run, &loading, err);
	}
	return r;
}

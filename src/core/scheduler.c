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
#include "core/inst_backup.h"
#include "core/snapshot.h"
#include "core/warning.h"
#include "db/snapshots.h"
#include "spec/keys.h"
#include "spec/retention.h"
#include "spec/schedule.h"

enum {
	RUNS_MAX = 2,
	TICK_S = 10,
	JITTER_S = 20, /* less than a minute, so that every minute has its run */
	BACK_S = 5     /* the clock was set back by more */
};

#define WARNING "Scheduled snapshot failed"

struct scheduler {
	struct core *core;
	struct aio_timer timer;
	size_t running;
	int64_t last_wall_ns;
	bool checked; /* what was stored has been compared with the clock */
};

/* One instance's turn: first what goes, then what is made. */
struct run {
	struct scheduler *scheduler;
	struct op_waiter waiter;
	char *instance;
	bool creates;
	bool failed; /* what goes could not go */
};

/* ---- when ---- */

static const char *schedule_text(const struct inst *inst)
{
	return keys_get(&inst->expanded.config, "snapshots.schedule", "");
}

/* Always the same for one instance, so that its snapshots stay apart by whole hours and days. */
static int64_t jitter_ns(const struct inst *inst)
{
	uint32_t hash = 2166136261U;

	for (const char *p = inst->record->name; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619U;
	return (int64_t)(hash % JITTER_S) * NS_PER_S;
}

static void set_next(struct inst *inst, const char *schedule, int64_t next_wall_ns)
{
	struct err err = { 0 };

	if (db_snapshot_run_set(inst->core->db, inst->record->id, schedule, next_wall_ns, &err) < 0)
		log_error(((struct log_keys){ .inst = inst->record->name }),
			  "store its next snapshot: %s", err.msg);
	replace_str(&inst->snapshot_schedule, schedule);
	inst->snapshot_next_wall_ns = next_wall_ns;
}

static void compute_next(struct inst *inst, int64_t now_wall_ns)
{
	const char *text = schedule_text(inst);
	struct schedule schedule;
	int64_t next_s = 0;

	if (schedule_parse(text, &schedule, NULL) == 0) /* it was checked when it was set */
		next_s = schedule_next(&schedule, now_wall_ns / NS_PER_S);
	set_next(inst, *text ? text : NULL, next_s * NS_PER_S);
}

/* @doubt: the clock has jumped, or the daemon has just begun. */
static void refresh(struct inst *inst, int64_t now_wall_ns, bool doubt)
{
	const char *text = schedule_text(inst);

	if (!streq(inst->snapshot_schedule ? inst->snapshot_schedule : "", text) ||
	    (doubt && *text && inst->snapshot_next_wall_ns > now_wall_ns))
		compute_next(inst, now_wall_ns);
}

int64_t scheduler_next_wall_ns(const struct inst *inst)
{
	if (inst->snapshot_next_wall_ns == 0)
		return 0;
	return inst->snapshot_next_wall_ns + jitter_ns(inst);
}

static bool is_skipped(const struct inst *inst)
{
	return !inst_is_running(inst) &&
	       !keys_get_bool(&inst->expanded.config, "snapshots.schedule.stopped", false);
}

static bool is_due(const struct inst *inst, int64_t now_wall_ns)
{
	int64_t next = scheduler_next_wall_ns(inst);

	return inst->snapshot_at_start || (next > 0 && next <= now_wall_ns);
}

/* ---- what goes ---- */

static bool has_expired(const struct snap_record *snapshot, int64_t at_wall_ns)
{
	return snapshot->expires_wall_ns > 0 && snapshot->expires_wall_ns <= at_wall_ns;
}

static char **expired_list(const struct inst *inst, int64_t at_wall_ns)
{
	char **names = NULL;

	vec_for_each(snapshot, &inst->snapshots)
		if (has_expired(*snapshot, at_wall_ns))
			strv_push(&names, (*snapshot)->name);
	return names;
}

/* Those that snapshots.keep lets go, counting one that is made at that time; newest first. */
static void add_surplus(const struct inst *inst, const struct retention *retention,
			int64_t at_wall_ns, char ***names)
{
	size_t n = 1, max = inst->snapshots.len + 1;
	_cleanup_(freep) const struct snap_record **list = xcalloc(max, sizeof(*list));
	_cleanup_(freep) int64_t *times_s = xcalloc(max, sizeof(*times_s));
	_cleanup_(freep) bool *keep = xcalloc(max, sizeof(*keep));

	times_s[0] = at_wall_ns / NS_PER_S;
	for (size_t i = inst->snapshots.len; i > 0; i--) {
		const struct snap_record *snapshot = inst->snapshots.items[i - 1];

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

char **scheduler_prune_list(const struct inst *inst, int64_t at_wall_ns)
{
	const char *text = keys_get(&inst->expanded.config, "snapshots.keep", NULL);
	char **names = expired_list(inst, at_wall_ns);
	struct retention retention;

	if (text && retention_parse(text, &retention, NULL) == 0)
		add_surplus(inst, &retention, at_wall_ns, &names);
	return names;
}

/* ---- one run ---- */

static struct inst *inst_of(const struct run *run)
{
	return strmap_get(&run->scheduler->core->instances, run->instance);
}

static void warn(const struct run *run, const char *message)
{
	_cleanup_(freep) char *entity = xasprintf("instances/%s", run->instance);

	core_warn(run->scheduler->core, WARNING, entity, message);
}

static void run_free(struct run *run)
{
	free(run->instance);
	free(run);
}

/* @message: why it failed; NULL: it did not. */
static void run_over(struct run *run, const char *message)
{
	struct inst *inst = inst_of(run);

	run->scheduler->running--;
	if (inst) {
		inst->snapshot_runs = false;
		if (run->creates) {
			inst->snapshot_at_start = false;
			compute_next(inst, aio_wall_now(run->scheduler->core->loop));
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
	const struct snapshot_request request = { .name = "", .scheduled = true };
	struct run *run = data;
	struct inst *inst = inst_of(run);
	struct err err = { 0 };
	struct op *op;

	if (!inst || inst->core->shutting_down || snapshot_create(inst, &request, &op, &err) < 0) {
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
		aio_defer(op->core->loop, create, run); /* the instance is free by then */
	else
		run_over(run, NULL);
}

static void start_run(struct scheduler *scheduler, struct inst *inst, char *const *prune,
		      bool creates)
{
	struct run *run = xcalloc(1, sizeof(*run));
	struct err err = { 0 };
	struct op *op;

	run->scheduler = scheduler;
	run->instance = xstrdup(inst->record->name);
	run->creates = creates;
	scheduler->running++;
	inst->snapshot_runs = true;
	if (!prune) {
		create(run);
		return;
	}
	if (snapshots_delete(inst, prune, &op, &err) < 0) {
		run_over(run, err.msg);
		return;
	}
	run->waiter.done = pruned;
	op_wait(op, &run->waiter);
}

static void consider(struct scheduler *scheduler, struct inst *inst, int64_t now_wall_ns)
{
	bool due = is_due(inst, now_wall_ns);
	_cleanup_(strv_freep) char **prune = NULL;

	if (due && is_skipped(inst)) {
		inst->snapshot_at_start = false;
		compute_next(inst, now_wall_ns);
		due = false;
	}
	prune = due ? scheduler_prune_list(inst, now_wall_ns) : expired_list(inst, now_wall_ns);
	if (due || prune)
		start_run(scheduler, inst, prune, due);
}

/* ---- the clock ---- */

static void tick(void *data)
{
	struct scheduler *scheduler = data;
	struct core *core = scheduler->core;
	int64_t now = aio_wall_now(core->loop);
	bool doubt =
		!scheduler->checked || now < scheduler->last_wall_ns - (int64_t)BACK_S * NS_PER_S;

	scheduler->checked = true;
	scheduler->last_wall_ns = now;
	strmap_for_each(entry, &core->instances)
	{
		struct inst *inst = entry->value;

		if (!inst->stored)
			continue;
		backups_expire(inst);
		refresh(inst, now, doubt);
		/* Who is busy, or starting, is looked at again. */
		if (scheduler->running < RUNS_MAX && !inst->op && !inst->snapshot_runs &&
		    !core->shutting_down && inst->state != INST_STARTING)
			consider(scheduler, inst, now);
	}
	aio_timer_start(core->loop, &scheduler->timer, (uint64_t)TICK_S * NS_PER_S, tick,
			scheduler);
}

void scheduler_inst_started(struct inst *inst)
{
	struct scheduler *scheduler = inst->core->scheduler;
	struct schedule schedule;

	if (schedule_parse(schedule_text(inst), &schedule, NULL) < 0 || !schedule.startup ||
	    schedule.never)
		return;
	inst->snapshot_at_start = true;
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

static void take_run(void *data, int64_t instance_id, const char *schedule, int64_t next_wall_ns)
{
	struct core *core = data;

	strmap_for_each(entry, &core->instances)
	{
		struct inst *inst = entry->value;

		if (inst->record->id != instance_id)
			continue;
		replace_str(&inst->snapshot_schedule, schedule);
		inst->snapshot_next_wall_ns = next_wall_ns;
	}
}

int scheduler_load(struct core *core, struct err *err)
{
	return db_snapshot_runs_load(core->db, take_run, core, err);
}

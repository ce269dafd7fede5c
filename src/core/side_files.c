/* core/side_files.c - see side_files.h */
#include "core/side_files.h"

#include <stdlib.h>
#include <string.h>

#include "aio/timer.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/events.h"
#include "core/inst.h"
#include "core/job.h"
#include "core/pool.h"
#include "core/profile.h"

enum {
	DELAY_S = 2,
	AWAY_S = 60,
	BATCH = 64,
	BATCH_BYTES = 1 << 20 /* a job has to fit into its memfd */
};

struct side_files {
	struct core *core;
	side_text_fn *text; /* NULL: not started */
	struct event_listener listener;
	struct aio_timer timer;
	struct strmap dirty;   /* names of instances */
	struct strmap written; /* name -> pool it is in */
};

static void on_timer(void *data);

static void arm(struct side_files *files, uint64_t seconds)
{
	aio_timer_start(files->core->loop, &files->timer, seconds * NS_PER_S, on_timer, files);
}

static void mark(struct side_files *files, const char *name)
{
	strmap_set(&files->dirty, name, "");
	if (files->text && !aio_timer_armed(&files->timer))
		arm(files, DELAY_S);
}

/* ---- what happens ---- */

/* Of all that is told about instances, what a side file says. */
static bool changes_instance(const char *action)
{
	static const char *const actions[] = { "instance-created", "instance-updated",
					       "instance-renamed", "instance-restored",
					       "instance-deleted" };

	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (streq(action, actions[i]))
			return true;
	return false;
}

static void mark_users(struct side_files *files, const char *profile)
{
	strmap_for_each(entry, &files->core->instances)
	{
		if (profile_is_used_by(profile, entry->value))
			mark(files, entry->key);
	}
}

static void on_event(struct event_listener *listener, const struct event *event)
{
	struct side_files *files = list_entry(listener, struct side_files, listener);

	if (streq(event->kind, "instances") && changes_instance(event->action)) {
		mark(files, event->name);
	} else if (streq(event->kind, "instances_snapshots")) {
		_cleanup_(freep) char *name = xstrndup(event->name, strcspn(event->name, "/"));

		mark(files, name);
	} else if (streq(event->kind, "profiles")) {
		mark_users(files, event->name);
	}
}

static void on_end(struct event_listener *listener)
{
	events_unsubscribe(listener);
}

/* ---- writing ---- */

static const struct inst *find_stored(const struct side_files *files, const char *name)
{
	const struct inst *inst = strmap_get(&files->core->instances, name);

	return inst && inst->stored ? inst : NULL;
}

/* What was written of instances that are gone, have another name or lie elsewhere now. */
static void collect_gone(struct side_files *files, const char *pool, struct strmap *texts)
{
	for (size_t i = files->written.len; i-- > 0;) {
		const char *name = files->written.items[i].key;
		const struct inst *inst = find_stored(files, name);

		if (!streq(files->written.items[i].value, pool) ||
		    (inst && streq(inst->record->pool, pool)))
			continue;
		strmap_set(texts, name, "");
		if (inst)
			mark(files, name);
		(void)strmap_unset(&files->written, name);
	}
}

static void collect_dirty(struct side_files *files, const char *pool, struct strmap *texts)
{
	size_t bytes = 0;

	for (size_t i = files->dirty.len; i-- > 0 && texts->len < BATCH && bytes < BATCH_BYTES;) {
		const char *name = files->dirty.items[i].key;
		const struct inst *inst = find_stored(files, name);
		char *text;

		if (inst && !streq(inst->record->pool, pool))
			continue;
		if (inst) {
			text = files->text(inst);
			bytes += strlen(text);
			strmap_set_take(texts, name, text);
			strmap_set(&files->written, name, pool);
		}
		(void)strmap_unset(&files->dirty, name);
	}
}

static void write_pool(struct side_files *files, const char *pool)
{
	struct job job = { .kind = JOB_SIDE_WRITE };

	if (pool_fill_job(files->core, pool, &job, NULL) == 0) {
		collect_gone(files, pool, &job.properties);
		collect_dirty(files, pool, &job.properties);
		if (job.properties.len > 0)
			job_run_detached(files->core, &job);
	}
	wire_free(&job_schema, &job);
}

/* Those of a pool that is away wait until it is back. */
static bool has_work(const struct side_files *files)
{
	strmap_for_each(entry, &files->dirty)
	{
		const struct inst *inst = find_stored(files, entry->key);
		const struct pool_record *pool =
			inst ? strmap_get(&files->core->pools, inst->record->pool) : NULL;

		if (pool && streq(pool->status, "Created"))
			return true;
	}
	return false;
}

static void on_timer(void *data)
{
	struct side_files *files = data;

	/* one writer at a time, so that the last one wrote what is true now */
	if (!job_is_running(files->core, JOB_SIDE_WRITE))
		strmap_for_each(entry, &files->core->pools) write_pool(files, entry->key);
	if (files->dirty.len > 0)
		arm(files, has_work(files) ? DELAY_S : AWAY_S);
}

/* ---- life ---- */

struct side_files *side_files_new(struct core *core)
{
	struct side_files *files = xcalloc(1, sizeof(*files));

	files->core = core;
	files->listener = (struct event_listener){ .types = EVENT_LIFECYCLE,
						   .event = on_event,
						   .end = on_end };
	events_subscribe(&core->events, &files->listener);
	return files;
}

struct side_files *side_files_free(struct side_files *files)
{
	if (!files)
		return NULL;
	aio_timer_stop(&files->timer);
	strmap_done(&files->dirty);
	strmap_done(&files->written);
	free(files);
	return NULL;
}

void side_files_start(struct side_files *files, side_text_fn *text)
{
	files->text = text;
	strmap_for_each(entry, &files->core->instances) mark(files, entry->key);
}

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
#include "core/volume.h"

enum {
	DELAY_S = 2,
	AWAY_S = 60,
	BATCH = 64,
	BATCH_BYTES = 1 << 20 /* a job has to fit into its memfd */
};

/*
 * What has a side file is known by its object in a job (spec/job.h); a pool here by POOL_MARK and its
 * name, since each has its own.
 */
#define POOL_MARK JOB_SIDE_POOL

struct side_files {
	struct core *core;
	const struct side_texts *texts; /* NULL: not started */
	struct event_listener listener;
	struct aio_timer timer;
	struct strmap dirty;   /* objects */
	struct strmap written; /* object -> pool it is in */
};

static void on_timer(void *data);

static void arm(struct side_files *files, uint64_t seconds)
{
	aio_timer_start(files->core->loop, &files->timer, seconds * NS_PER_S, on_timer, files);
}

static void wake(struct side_files *files)
{
	if (files->texts && !aio_timer_armed(&files->timer))
		arm(files, DELAY_S);
}

static void mark(struct side_files *files, const char *object)
{
	strmap_set(&files->dirty, object, "");
	wake(files);
}

static void mark_volume(struct side_files *files, const struct volume *volume)
{
	_cleanup_(freep) char *object = xasprintf(JOB_SIDE_CUSTOM "%s", volume->record->volume);

	mark(files, object);
}

static void mark_pool(struct side_files *files, const char *name)
{
	_cleanup_(freep) char *object = xasprintf(POOL_MARK "%s", name);

	mark(files, object);
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

/* @name: "pool/volume", or "pool/volume/snapshot". One that is gone is found by what was written. */
static void on_volume(struct side_files *files, const char *name)
{
	size_t pool_len = strcspn(name, "/") + 1;
	_cleanup_(freep) char *key = xstrndup(name, pool_len + strcspn(name + pool_len, "/"));
	const struct volume *volume = strmap_get(&files->core->volumes, key);

	if (volume)
		mark_volume(files, volume);
	else
		wake(files);
}

/* What is in a pool that goes stays there: it may be recovered. */
static void on_pool(struct side_files *files, const char *name)
{
	if (strmap_has(&files->core->pools, name)) {
		mark_pool(files, name);
		return;
	}
	for (size_t i = files->written.len; i-- > 0;)
		if (streq(files->written.items[i].value, name))
			(void)strmap_unset(&files->written, files->written.items[i].key);
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
	} else if (streq(event->kind, "storage_volumes") ||
		   streq(event->kind, "storage_volume_snapshots")) {
		on_volume(files, event->name);
	} else if (streq(event->kind, "storage-pools")) {
		on_pool(files, event->name);
	}
}

static void on_end(struct event_listener *listener)
{
	events_unsubscribe(listener);
}

/* ---- writing ---- */

/* What an object is now: one of them, or none. */
struct found {
	const struct inst *inst;
	const struct volume *volume;
	const struct pool_record *pool;
	const char *in; /* the pool with its side file; NULL: it is gone */
};

static const struct volume *volume_of(const struct core *core, const char *uuid)
{
	strmap_for_each(entry, &core->volumes)
	{
		const struct volume *volume = entry->value;

		if (volume->stored && streq(volume->record->volume, uuid))
			return volume;
	}
	return NULL;
}

static struct found find(const struct side_files *files, const char *object)
{
	const char *uuid = str_after(object, JOB_SIDE_CUSTOM);
	const char *pool = str_after(object, POOL_MARK);
	struct found found = { 0 };

	if (uuid) {
		found.volume = volume_of(files->core, uuid);
		found.in = found.volume ? found.volume->record->pool : NULL;
	} else if (pool) {
		found.pool = strmap_get(&files->core->pools, pool);
		found.in = found.pool ? pool : NULL;
	} else {
		const struct inst *inst = strmap_get(&files->core->instances, object);

		found.inst = inst && inst->stored ? inst : NULL;
		found.in = found.inst ? inst->record->pool : NULL;
	}
	return found;
}

static char *make_text(const struct side_files *files, const struct found *found)
{
	struct buf text = { 0 };

	if (found->inst)
		return files->texts->instance(found->inst);
	if (found->volume)
		return files->texts->volume(found->volume);
	pool_record_emit(found->pool, &text);
	return buf_take_str(&text);
}

/* What was written of objects that are gone, have another name or lie elsewhere now. */
static void collect_gone(struct side_files *files, const char *pool, struct strmap *texts)
{
	for (size_t i = files->written.len; i-- > 0;) {
		const char *object = files->written.items[i].key;
		struct found found = find(files, object);

		if (!streq(files->written.items[i].value, pool) || streq(found.in, pool))
			continue;
		strmap_set(texts, object, "");
		if (found.in)
			mark(files, object);
		(void)strmap_unset(&files->written, object);
	}
}

static void collect_one(struct side_files *files, const char *object, const struct found *found,
			struct strmap *texts, size_t *bytes)
{
	char *text = make_text(files, found);

	*bytes += strlen(text);
	strmap_set_take(texts, found->pool ? JOB_SIDE_POOL : object, text);
	if (!found->pool)
		strmap_set(&files->written, object, found->in);
}

static void collect_dirty(struct side_files *files, const char *pool, struct strmap *texts)
{
	size_t bytes = 0;

	for (size_t i = files->dirty.len; i-- > 0 && texts->len < BATCH && bytes < BATCH_BYTES;) {
		const char *object = files->dirty.items[i].key;
		struct found found = find(files, object);

		if (found.in && !streq(found.in, pool))
			continue;
		if (found.in)
			collect_one(files, object, &found, texts, &bytes);
		(void)strmap_unset(&files->dirty, object);
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
		struct found found = find(files, entry->key);
		const struct pool_record *pool =
			found.in ? strmap_get(&files->core->pools, found.in) : NULL;

		if (pool && streq(pool->status, "Created"))
			return true;
	}
	return false;
}

static void on_timer(void *data)
{
	struct side_files *files = data;
	bool busy = job_is_running(files->core, JOB_SIDE_WRITE);

	/* one writer at a time, so that the last one wrote what is true now */
	if (!busy)
		strmap_for_each(entry, &files->core->pools) write_pool(files, entry->key);
	if (busy || files->dirty.len > 0)
		arm(files, busy || has_work(files) ? DELAY_S : AWAY_S);
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

void side_files_start(struct side_files *files, const struct side_texts *texts)
{
	struct core *core = files->core;

	files->texts = texts;
	strmap_for_each(entry, &core->pools) mark_pool(files, entry->key);
	strmap_for_each(entry, &core->volumes) mark_volume(files, entry->value);
	strmap_for_each(entry, &core->instances) mark(files, entry->key);
}

void side_files_leave(struct side_files *files, const char *object)
{
	(void)strmap_unset(&files->written, object);
	(void)strmap_unset(&files->dirty, object);
}

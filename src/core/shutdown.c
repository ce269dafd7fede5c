/* core/shutdown.c - see shutdown.h */
#include "core/shutdown.h"

#include <stdint.h>
#include <stdlib.h>

#include "aio/timer.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/monitor_conn.h"
#include "spec/keys.h"

enum {
	CHECK_INTERVAL_MS = 20
};

/* Instances of one priority stop together; then the next lower priority. */
struct shutdown {
	struct core *core;
	int64_t priority; /* of the group that is stopping now */
	uint64_t asked_ns;
	struct aio_timer timer;
	void (*done)(void *data);
	void *data;
};

static int64_t stop_priority(const struct inst *inst)
{
	return keys_get_int(&inst->expanded.config, "boot.stop.priority", 0);
}

static bool runs(const struct inst *inst)
{
	return inst->conn && !inst->releasing;
}

/* The highest priority that still has somebody running. Returns: false when nobody is. */
static bool next_group(const struct core *core, int64_t *ret_priority)
{
	bool found = false;

	strmap_for_each(entry, &core->instances)
	{
		const struct inst *inst = entry->value;

		if (!runs(inst) || (found && stop_priority(inst) <= *ret_priority))
			continue;
		*ret_priority = stop_priority(inst);
		found = true;
	}
	return found;
}

static bool is_to_be_killed(const struct inst *inst)
{
	return streq(keys_get(&inst->expanded.config, "boot.host_shutdown_action", "stop"),
		     "force-stop");
}

/* Thaw, and either stop or kill. */
static void ask_group(struct shutdown *shutdown)
{
	strmap_for_each(entry, &shutdown->core->instances)
	{
		struct inst *inst = entry->value;

		if (!runs(inst) || stop_priority(inst) != shutdown->priority)
			continue;
		if (is_to_be_killed(inst)) {
			(void)monitor_request(inst, MSG_KILL, NULL, NULL, 0, NULL, NULL);
			continue;
		}
		(void)monitor_request(inst, MSG_THAW, NULL, NULL, 0, NULL,
				      NULL); /* refused unless frozen */
		(void)monitor_request(inst, MSG_STOP, NULL, NULL, 0, NULL, NULL);
	}
}

static void kill_late(struct shutdown *shutdown, uint64_t waited_ns)
{
	strmap_for_each(entry, &shutdown->core->instances)
	{
		struct inst *inst = entry->value;
		int64_t timeout_s =
			keys_get_int(&inst->expanded.config, "boot.host_shutdown_timeout", 30);

		if (!runs(inst) || stop_priority(inst) != shutdown->priority ||
		    waited_ns < (uint64_t)timeout_s * NS_PER_S)
			continue;
		log_warn(((struct log_keys){ .inst = entry->key }),
			 "did not stop within %lld s and is killed", (long long)timeout_s);
		(void)monitor_request(inst, MSG_KILL, NULL, NULL, 0, NULL, NULL);
	}
}

static void check(void *data)
{
	struct shutdown *shutdown = data;
	uint64_t now = aio_now(shutdown->core->loop);
	int64_t priority = 0;

	if (!next_group(shutdown->core, &priority)) {
		shutdown->done(shutdown->data);
		free(shutdown);
		return;
	}
	if (shutdown->asked_ns == 0 || priority != shutdown->priority) {
		shutdown->priority = priority;
		shutdown->asked_ns = now;
		ask_group(shutdown);
	}
	kill_late(shutdown, now - shutdown->asked_ns);
	aio_timer_start(shutdown->core->loop, &shutdown->timer,
			(uint64_t)CHECK_INTERVAL_MS * NS_PER_MS, check, shutdown);
}

void shutdown_stop_all(struct core *core, void (*done)(void *data), void *data)
{
	struct shutdown *shutdown = xcalloc(1, sizeof(*shutdown));

	core->shutting_down = true;
	shutdown->core = core;
	shutdown->done = done;
	shutdown->data = data;
	check(shutdown);
}

/*
 * core/events.h - who wants to know what happens, and telling them
 *
 * Layer: core. The API renders an event once per listener; nothing is queued here.
 */
#pragma once

#include <stdint.h>

#include "base/list.h"
#include "base/strmap.h"

struct op;

enum event_type {
	EVENT_OPERATION = 1 << 0,
	EVENT_LIFECYCLE = 1 << 1,
	EVENT_LOGGING = 1 << 2,
};

struct event {
	enum event_type type;
	int64_t wall_ns;
	const struct op *op;	      /* EVENT_OPERATION */
	const char *action;	      /* EVENT_LIFECYCLE: "instance-started" */
	const char *kind, *name;      /* of the object: "instances", "web1" */
	const struct strmap *context; /* more of it; NULL: none */
	const char *level, *message;  /* EVENT_LOGGING */
};

struct event_listener {
	struct list node;
	uint32_t types; /* EVENT_* */
	void (*event)(struct event_listener *listener, const struct event *event);
	void (*end)(struct event_listener *listener); /* nothing follows: unsubscribe, free */
};

struct events {
	struct list listeners;
	struct aio_loop *loop;
};

void events_init(struct events *events, struct aio_loop *loop);
void events_subscribe(struct events *events, struct event_listener *listener);
void events_unsubscribe(struct event_listener *listener);

/* The end of the daemon: each listener's end(). */
void events_close(struct events *events);

void events_publish_op(struct events *events, const struct op *op);

/* @action: "instance-created" and the like of the API; @kind, @name: the object. */
void events_publish_lifecycle(struct events *events, const char *action, const char *kind,
			      const char *name);
void events_publish_log(struct events *events, const char *level, const char *message);

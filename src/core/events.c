/* core/events.c - see events.h */
#include "core/events.h"

#include "aio/loop.h"

void events_init(struct events *events, struct aio_loop *loop)
{
	list_init(&events->listeners);
	events->loop = loop;
}

void events_subscribe(struct events *events, struct event_listener *listener)
{
	list_append(&events->listeners, &listener->node);
}

void events_unsubscribe(struct event_listener *listener)
{
	list_remove(&listener->node);
}

void events_close(struct events *events)
{
	struct list *node, *tmp;

	list_for_each_safe(node, tmp, &events->listeners) {
		struct event_listener *listener = list_entry(node, struct event_listener, node);

		listener->end(listener);
	}
}

static void publish(struct events *events, struct event *event)
{
	struct list *node, *tmp;

	event->wall_ns = aio_wall_now(events->loop);
	list_for_each_safe(node, tmp, &events->listeners) {
		struct event_listener *listener = list_entry(node, struct event_listener, node);

		if (listener->types & (uint32_t)event->type)
			listener->event(listener, event);
	}
}

void events_publish_op(struct events *events, const struct op *op)
{
	publish(events, &(struct event){ .type = EVENT_OPERATION, .op = op });
}

void events_publish_lifecycle(struct events *events, const char *action, const char *kind,
			      const char *name)
{
	publish(events,
		&(struct event){
			.type = EVENT_LIFECYCLE, .action = action, .kind = kind, .name = name });
}

void events_publish_log(struct events *events, const char *level, const char *message)
{
	publish(events,
		&(struct event){ .type = EVENT_LOGGING, .level = level, .message = message });
}

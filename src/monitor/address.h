/*
 * monitor/address.h - the container's links and addresses, told when they change
 *
 *   A1  At most one report in ADDRESS_INTERVAL_MS, however fast the guest flaps.
 *   A2  The sockets keep the network namespace alive: stopped when init is dead.
 */
#pragma once

#include <stdbool.h>

#include "monitor/loop.h"
#include "os/netlink.h"
#include "spec/instance.h"
#include "spec/msg.h"

enum {
	ADDRESS_INTERVAL_MS = 200
};

struct addresses {
	struct loop *loop;
	struct source event_source;
	struct source timer_source;
	int timer_fd;
	struct netlink *events; /* NULL: no life */
	struct netlink *query;
	bool waiting; /* the timer runs: a report was just made */
	bool dirty;   /* something changed since */
	void (*changed)(void *data);
	void *data;
};

int addresses_init(struct addresses *addresses, struct loop *loop, void (*changed)(void *),
		   void *data);

/* Begin to listen in the namespace @netns_fd; its loopback is turned on. */
int addresses_start(struct addresses *addresses, int netns_fd, struct err *err);
void addresses_stop(struct addresses *addresses);

/*
 * Fill msg->nics, for wire_free(). @with_counters: MSG_STATS. @spec: its nics have the host names.
 * Errors: -ENOMEM.
 */
int addresses_read(struct addresses *addresses, const struct inst_spec *spec, bool with_counters,
		   struct msg *msg, struct err *err);

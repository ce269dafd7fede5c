/*
 * monitor/loop.h - epoll with one callback per descriptor
 *
 * Layer: monitor. Allocates nothing: a source is embedded in what it belongs to.
 *
 *   O1  A callback may remove any source, its own too: events of a removed one are not delivered.
 */
#pragma once

#include <stdint.h>

#include "base/list.h"

struct source;
typedef void source_fn(struct source *source, uint32_t events);

struct source {
	struct list node; /* in loop.sources */
	int fd;		  /* borrowed; -EBADF: not in a loop */
	source_fn *run;
};

struct loop {
	int epoll_fd;
	struct list sources;
};

int loop_init(struct loop *loop);
void loop_done(struct loop *loop);

/* @events: EPOLLIN, ... Returns: 0 or -errno. */
int loop_add(struct loop *loop, struct source *source, int fd, uint32_t events, source_fn *run);
int loop_change(struct loop *loop, struct source *source, uint32_t events);

/* Harmless when it is in no loop. */
void loop_remove(struct loop *loop, struct source *source);

/* Not in a loop yet. */
void source_init(struct source *source);

/* Wait for events and deliver them once. */
int loop_run_once(struct loop *loop);

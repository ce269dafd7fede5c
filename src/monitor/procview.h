/*
 * monitor/procview.h - /proc and /sys files that tell of the container's limits, by LXCFS
 *
 * Layer: monitor. Each life has an LXCFS of its own: whatever a guest does to it, others do not
 * notice. A process of ours starts it, binds its files over those of the container, and ends with it.
 * The container does not wait for that, and runs without it when it fails.
 *
 *   W1  LXCFS that ends leaves no files that cannot be read: they are taken out, and it is started
 *       again unless it has just been.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "monitor/loop.h"

struct mon;

enum {
	PROCVIEW_FILES_MAX = 8
};

struct procview {
	pid_t pid; /* of the process of ours; 0: none */
	int pidfd;
	int report_fd;
	struct source source;
	uint64_t ids[PROCVIEW_FILES_MAX]; /* os/plug.h */
	size_t n_ids;
	uint64_t started_ns;
};

void procview_init(struct procview *view);

/* Once init runs. Nothing to do without spec.lxcfs. */
void procview_start(struct mon *mon);

/* The life is over: everything went with it. */
void procview_stop(struct mon *mon);

/* Whether @pid was the process of ours; if so, W1. */
bool procview_reaped(struct mon *mon, pid_t pid);

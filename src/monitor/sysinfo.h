/*
 * monitor/sysinfo.h - sysinfo(2) of the container's processes, answered with its limits
 *
 * Layer: monitor. What reads /proc has LXCFS (procview.h); busybox and what is linked with musl ask
 * the kernel. Init and every session come with a listener (os/unotify.h) for their descendants.
 *
 *   Y1  Where there is no answer of ours the kernel's own is given; only a monitor that died
 *       without its container leaves ENOSYS.
 *   Y2  A guest that calls all the time gets SYSINFO_PER_TICK answers per SYSINFO_TICK_MS: the
 *       time that they take is not counted as its own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "monitor/loop.h"
#include "os/cgroup.h"
#include "spec/limits.h"

struct mon;
struct sysinfo;

enum {
	SYSINFO_LISTENERS_MAX = 256, /* sessions beyond that see the host's */
	SYSINFO_TICK_MS = 20,
	SYSINFO_PER_TICK = 100
};

struct sysinfo_listeners {
	struct list list;
	size_t count;
	int timer_fd; /* -EBADF: the first one makes it */
	struct source timer;
	unsigned int left;    /* answers until the next tick */
	uint64_t tick_end_ns; /* of the tick that @left is for */
};

void sysinfo_init(struct sysinfo_listeners *listeners);

/* Whether one more process is to be started with a listener. */
bool sysinfo_wanted(const struct mon *mon);

/* Answer @listener_fd, which is taken, until nobody is left who could ask. */
void sysinfo_add(struct mon *mon, int listener_fd);

/* The life is over. */
void sysinfo_stop(struct mon *mon);

/*
 * What @info says of the host, cut down to what the container has.
 *
 * @uptime_s: seconds since its init began.
 */
void sysinfo_narrow(struct sysinfo *info, const struct limits *limits,
		    const struct cgroup_usage *usage, uint64_t uptime_s);

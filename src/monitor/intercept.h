/*
 * monitor/intercept.h - system calls of the container's processes that the monitor answers
 *
 * Layer: monitor. Init and every session come with a listener (os/unotify.h) for their descendants.
 * A call is a row: who answers it. sysinfo(2) gets the limits in place of the host's numbers: what
 * reads /proc has LXCFS (procview.h), busybox and what is linked with musl asks the kernel.
 *
 *   Y1  Where there is no answer of ours the kernel's own is given; only a monitor that died
 *       without its container leaves ENOSYS.
 *   Y2  The caller's memory, and paths in its tree, may lead to a file system that the guest serves
 *       itself and lets hang. A process of ours touches them, for INTERCEPT_SECONDS at most; the
 *       monitor never does.
 *   Y3  A guest that calls all the time gets INTERCEPT_PER_TICK answers per INTERCEPT_TICK_MS: the
 *       time that they take is not counted as its own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "monitor/loop.h"
#include "os/cgroup.h"
#include "os/unotify.h"
#include "spec/limits.h"

struct mon;
struct sysinfo;

enum {
	INTERCEPT_LISTENERS_MAX = 256, /* sessions beyond that have the kernel's answers */
	INTERCEPT_TICK_MS = 20,
	INTERCEPT_PER_TICK = 10,
	INTERCEPT_AT_ONCE = 4,
	INTERCEPT_SECONDS = 2 /* then the kernel's own answer is given */
};

/* A process of ours that answers one call. */
struct answerer {
	pid_t pid; /* 0: none */
	int fd;	   /* the listener, borrowed; -EBADF: it is gone */
	struct unotify_call call;
};

struct intercepts {
	struct list list; /* listeners */
	size_t count;
	int timer_fd; /* -EBADF: the first one makes it */
	struct source timer;
	unsigned int left;    /* answers until the next tick */
	uint64_t tick_end_ns; /* of the tick that @left is for */
	struct answerer answerers[INTERCEPT_AT_ONCE];
};

void intercept_init(struct intercepts *intercepts);

/* The calls, for unotify_listen(), of one more process that is to be started; 0: none. */
uint32_t intercept_wanted(const struct mon *mon);

/* Answer @listener_fd, which is taken, until nobody is left who could ask. */
void intercept_add(struct mon *mon, int listener_fd);

/* The life is over. */
void intercept_stop(struct mon *mon);

/* Whether @pid was an answerer. */
bool intercept_reaped(struct mon *mon, pid_t pid);

/*
 * What @info says of the host, cut down to what the container has.
 *
 * @uptime_s: seconds since its init began.
 */
void sysinfo_narrow(struct sysinfo *info, const struct limits *limits,
		    const struct cgroup_usage *usage, uint64_t uptime_s);

/* Rows of the table: each answers @call in an answerer, which has the capabilities of the monitor. */
void sysinfo_answer(const struct mon *mon, int listener_fd, const struct unotify_call *call);
void mknod_answer(const struct mon *mon, int listener_fd, const struct unotify_call *call);

/*
 * monitor/device_proxy.h - devices of type proxy: a process each that carries what comes to it over
 *
 * Layer: monitor. The process is a copy of the monitor without its memory's secrets (it has none), its
 * descriptors and its rights. It listens on one side, then joins the other side and gives up all
 * capabilities; its system calls are those of SANDBOX_FILTER_RELAY: no files, no namespaces.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/vec.h"

struct mon;

struct proxy_process {
	char *device;
	pid_t pid; /* 0: it ended by itself */
	int pidfd;
	int control_fd; /* closed: it ends */
	uint64_t started_ns;
};
struct proxy_list {
	VEC(struct proxy_process) list;
};

/* A pid that waitpid() returned; a proxy that was not told to end is started again. */
bool proxies_reaped(struct mon *mon, pid_t pid, int wait_status);

/* The life is over. */
void proxies_stop(struct mon *mon);

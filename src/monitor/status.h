/* monitor/status.h - <runtime_dir>/status: what a person or a script may read about a container */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "spec/msg.h"

struct status {
	const char *name;
	enum mon_state state;
	pid_t pid; /* of init; 0: none */
	pid_t monitor_pid;
	uint64_t generation;
	uint64_t started_wall_ns; /* 0: not yet */
};

/* "key=value" lines. Pure. */
void status_format(const struct status *status, struct buf *out);

/* Replace the file "status" of @dir_fd; readers see the old or the new one. */
int status_write(int dir_fd, const struct status *status);

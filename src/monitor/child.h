/* monitor/child.h - the container's first process, from clone to the exec of its init */
#pragma once

#include "monitor/phase.h"

struct mon;

/*
 * Never returns. Runs in a copy of the monitor's memory: @mon is read, never changed for the
 * monitor. @sync_fd: this end of sync.h's pair.
 */
_Noreturn void child_main(const struct mon *mon, int sync_fd);

/* The table itself, for tests. */
const struct phase *child_phases(void);

/* monitor/start.h - bring the container up: once at the start, and again for each guest reboot */
#pragma once

#include "monitor/mon.h"
#include "monitor/phase.h"

/* Before the first life: name, log, what sessions need. */
int start_prepare(struct mon *mon, struct err *err);

/*
 * One life, from cgroup to exec. After a failure nothing of the life is left, but cgroups and root
 * mount are: release_all() removes them. Blocks for the time of the set-up.
 */
int start_life(struct mon *mon, struct err *err);

/* The tables themselves, for tests and traces. */
const struct phase *start_prepare_phases(void);
const struct phase *start_life_phases(void);

/*
 * os/reset.h - undo what a process inherits from whoever started the daemon
 *
 * Layer: os. Monitor's child, exec helper. Never blocks.
 */
#pragma once

#include "base/err.h"

/* The part that needs privilege over the host: oom_score_adj, rlimits, nice. Before any drop. */
int reset_privileged(struct err *err);

/*
 * The rest: CPU affinity, umask (022), signal mask and dispositions, session keyring,
 * parent-death signal. Right before the final exec. Environment: the caller's execve.
 */
int reset_inherited(struct err *err);

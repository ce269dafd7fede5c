/*
 * exec/run.h - inside the container: terminal, user, confinement, and the command
 *
 * Layer exec. Runs in the clone; on success it never returns.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "spec/exec.h"
#include "spec/msg.h"

struct run_context {
	struct exec_params params;
	struct session_spec spec;
	struct buf seccomp;	/* struct sock_filter[] */
	struct buf environment; /* "KEY=VALUE\0" */
};

/*
 * Become the command. Returns: -errno; *ret_exit_status is 126 or 127 when the command itself could
 * not be run, else 0.
 */
int run_command(const struct run_context *context, int *ret_exit_status, struct err *err);

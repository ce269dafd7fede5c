/*
 * core/exec_session.h - commands run inside a container for a client
 *
 * Layer: core. The command is the monitor's child; what is here connects it with its client.
 *
 *   await-client -> start -> await-exit
 *
 *   X1  The op is final only after output was drained, the streams closed and return was set.
 *   X2  A client that goes away ends the command, unless it asked for no streams at all.
 *   X3  A command whose bytes sysctrd carries outlives sysctrd: the next one finds it, and its
 *       operation has the same id. Its input has ended then, and its output goes nowhere.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "core/op.h"
#include "spec/msg.h"

struct inst;

struct exec_request {
	struct session_spec spec; /* environment and cwd as the client gave them */
	bool wait_for_client;	  /* streams; else 0, 1, 2 are /dev/null or, recorded, files */
	bool record_output;
};
void exec_request_free(struct exec_request *request);

/* @request: taken. Errors: ERR_INVALID "Instance is not running", "Instance is frozen". */
int exec_session_new(struct inst *inst, struct exec_request *request, struct op **ret_op,
		     struct err *err);

/* The monitor reports a session of an operation that went with an earlier sysctrd. */
void exec_session_kept(struct inst *inst, const struct msg *msg);

/* The monitor reports the end of a session. */
void exec_session_exited(struct inst *inst, const struct msg *msg);

/* No session of this instance will ever be reported. */
void exec_sessions_monitor_gone(struct inst *inst);

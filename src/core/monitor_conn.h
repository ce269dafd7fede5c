/*
 * core/monitor_conn.h - sysctrd's end of a monitor's control connection
 *
 * Layer: core. Protocol: spec/msg.h. EOF means that the monitor is gone, and with it the container.
 */
#pragma once

#include "base/err.h"
#include "spec/instance.h"
#include "spec/msg.h"

struct inst;
struct monitor_conn;

/*
 * Called once with the answer, or with NULL when the connection ended first.
 * @fds: of the answer; the callee takes those that it wants by setting them to -EBADF.
 */
typedef void monitor_answer_fn(void *data, const struct msg *answer, enum msg_type type, int *fds,
			       size_t n_fds);

/* Start sysctr-monitor for @spec; inst->conn is set. */
int monitor_spawn(struct inst *inst, const struct inst_spec *spec, struct err *err);

/* Connect to the monitor that listens in the instance's runtime directory; -ENOENT, -ECONNREFUSED:
 * there is none. */
int monitor_connect(struct inst *inst, struct err *err);

/*
 * Ask. @fds are sent along and stay the caller's. @answer NULL: not interested.
 * Errors: -ENOTCONN without a monitor; @answer is not called then.
 */
int monitor_request(struct inst *inst, enum msg_type type, const struct msg *msg, const int *fds,
		    size_t n_fds, monitor_answer_fn *answer, void *data);

/* MSG_APPLY_SPEC with @spec. */
int monitor_request_spec(struct inst *inst, const struct inst_spec *spec, monitor_answer_fn *answer,
			 void *data, struct err *err);

/* Close; answers not there yet are called with NULL. */
void monitor_conn_close(struct inst *inst);

/* What to say of a MSG_ERROR answer or of a connection that ended (answer NULL). */
int monitor_answer_err(const struct msg *answer, enum msg_type type, struct err *err);

/*
 * core/files.h - file servers of instances, for as long as somebody uses one
 *
 * Layer: core. A running instance's server is a session of its monitor, inside the container; a
 * stopped one's is sysctr-exec in a sandbox, which holds the volume and ends with sysctrd. What is
 * said is spec/files.h; bytes of files never come here, only the descriptors they go through.
 *
 *   F1  on_ended comes once and last, not after files_call_cancel(); the call is freed then.
 *   F2  A start or a deletion waits for servers of the stopped instance, then names them.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/list.h"
#include "core/op.h"
#include "spec/files.h"

struct core;
struct files_call;
struct inst;

struct files_handler {
	void (*on_found)(void *data, const struct files_reply *reply); /* STAT and GET */
	void (*on_ended)(void *data, const struct err *err);	       /* NULL: it went well */
};

/* Whether a server could be started now. Errors: ERR_CONFLICT. */
int files_check(const struct inst *inst, struct err *err);

/*
 * A pipe for its data. *@ret_ours does not block; it is the reading end if @we_read. Either is the
 * caller's. Returns: 0 or -errno.
 */
int files_pipe(bool we_read, int *ret_ours, int *ret_theirs);

/*
 * Start a server for @request (borrowed) with @in_fd and @out_fd (borrowed; negative: /dev/null).
 * Errors: of files_check(), and of the start.
 */
int files_call_new(struct inst *inst, const struct files_request *request, int in_fd, int out_fd,
		   const struct files_handler *handler, void *data, struct files_call **ret_call,
		   struct err *err);

/* FILES_PUT: what went through the descriptor was all of it. */
void files_call_whole(struct files_call *call);

/* Nobody wants it any more; the server sees its streams close. Returns: NULL. */
struct files_call *files_call_cancel(struct files_call *call);

/* Step of operations that need the volume of a stopped instance for themselves (F2). */
enum op_next files_step_await_idle(struct op *op);

/* @inst goes away: its calls end without it. */
void files_forget_inst(struct inst *inst);

/* The daemon ends, and with it all calls; whoever waits is told. */
void files_done(struct core *core);

/*
 * core/job.h - helper programs run for an operation
 *
 * Layer: core. The contract with the helpers is spec/job.h.
 */
#pragma once

#include "base/strmap.h"
#include "core/op.h"
#include "spec/job.h"

/*
 * Run @job as the current step of @op, which has to return what this returns.
 *
 * @in_fd: the job's input stream, closed here in any case; -EBADF for none. @done: called before
 * the op goes on, with the final report; an error in it has been put into op->err; returns what the
 * op is resumed with. NULL: success is OP_NEXT.
 * A report with results before the final one ends the wait as well: the helper then goes on alone.
 * Cancelling the op sends SIGTERM to the helper and waits for its end.
 */
typedef enum op_next job_done_fn(struct op *op, const struct job_report *report);
enum op_next job_run(struct op *op, const struct job *job, int in_fd, job_done_fn *done);

/* The same for a job that writes to @out_fd, closed here in any case. */
enum op_next job_run_out(struct op *op, const struct job *job, int out_fd, job_done_fn *done);

/*
 * A pipe for what such a job writes, made before the operation begins. Its end is closed at the latest
 * when the operation ends: whoever reads would wait for ever for a job that never ran.
 */
struct job_pipe {
	struct op_waiter ended;
	int out_fd;
};
int job_pipe_open(struct job_pipe *pipe, int *ret_read_fd, struct err *err);
void job_pipe_close(struct job_pipe *pipe);

/* Before op_start(). */
void job_pipe_watch(struct job_pipe *pipe, struct op *op);

/* The same with both. */
enum op_next job_run_io(struct op *op, const struct job *job, int in_fd, int out_fd,
			job_done_fn *done);

/*
 * The @done of a job that removes what an undone step made: what it cannot remove is logged, and
 * op->undo_failed says so. One that has reported results has it out of sight and goes on alone.
 */
job_done_fn job_undone;

/* A number among the results, at most @max; 0 when there is none, or it is nonsense. */
uint64_t job_result_u64(const struct job_report *report, const char *key, uint64_t max);

/* The result "size": bytes, as many as the database can hold (INT64_MAX). */
uint64_t job_result_size(const struct job_report *report);

/* Run @job with nobody waiting: a failure is logged. */
void job_run_detached(struct core *core, const struct job *job);

/* Whether a helper is at one of that kind. */
bool job_is_running(const struct core *core, enum job_kind kind);

/* The daemon ends: forget all jobs. Their helpers see the channel close, clean up and exit. */
void jobs_done(struct core *core);

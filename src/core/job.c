/* core/job.c - see job.h */
#include "core/job.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aio/proc.h"
#include "aio/seqpkt.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/space.h"
#include "os/fd.h"

/*
 * A helper is over when it has exited and its report channel has reached its end; only then is
 * everything that it said known. One that stays is kept for the next job of its op, which saves
 * starting a program, and sent away when the op ends.
 */
struct job_proc {
	struct list node; /* in core->jobs */
	struct core *core;
	struct op *op;		  /* NULL: detached */
	struct op *keeper;	  /* it stays for more jobs of this one; then op is NULL */
	struct op_waiter dismiss; /* for the keeper's end */
	bool cancelled;
	job_done_fn *done;
	const struct job_row *row;
	struct aio_proc *proc;	/* NULL once it has exited */
	struct seqpkt *reports; /* NULL once it is at its end */
	int wait_status;
	struct job_report last; /* the final one */
};

static void job_proc_free(struct job_proc *jp)
{
	list_remove(&jp->node);
	list_remove(&jp->dismiss.node);
	(void)aio_proc_free(jp->proc);
	(void)seqpkt_free(jp->reports);
	wire_free(&job_report_schema, &jp->last);
	free(jp);
}

static void verdict(const struct job_proc *jp, struct err *err)
{
	char words[AIO_STATUS_LEN];

	if (jp->last.done && jp->last.code == 0)
		return;
	if (jp->last.done) {
		(void)err_kind(err, (enum err_kind)MIN(jp->last.kind, (uint32_t)ERR_CANCELLED),
			       "%s", jp->last.text ? jp->last.text : "failed without a reason");
		err->code = jp->last.code < 0 ? jp->last.code : -EIO;
		return;
	}
	(void)err_kind(err, ERR_INTERNAL, "%s (%s) %s before it was done", jp->row->program,
		       jp->row->name, aio_status_text(words, jp->wait_status));
}

/* Tell the op, which goes on, or else the log how the job ended. */
static void answer(struct job_proc *jp)
{
	struct op *op = jp->op;
	struct err err = { 0 };
	enum op_next next = OP_NEXT;

	verdict(jp, &err);
	jp->op = NULL;
	if (!op) {
		if (err.code < 0)
			log_error(LOG_NONE, "job %s: %s", jp->row->name, err.msg);
		return;
	}
	if (err.code < 0 && !op->undoing)
		op->err = err;
	if (jp->done)
		next = jp->done(op, &jp->last);
	else if (err.code < 0)
		next = OP_FAIL;
	op_resume(op, next);
	op_unref(op);
}

static void job_over(struct job_proc *jp)
{
	if (jp->proc || jp->reports)
		return;
	answer(jp);
	job_proc_free(jp);
}

static void on_exit_status(void *data, int wait_status)
{
	struct job_proc *jp = data;

	jp->wait_status = wait_status;
	jp->proc = aio_proc_free(jp->proc);
	job_over(jp);
}

/* What the op waits for is there; the helper goes on with nobody waiting. */
static void let_go(struct job_proc *jp, const struct job_report *report)
{
	struct op *op = jp->op;

	jp->op = NULL;
	op_resume(op, jp->done ? jp->done(op, report) : OP_NEXT);
	op_unref(op);
}

static void send_away(struct job_proc *jp)
{
	jp->keeper = NULL;
	jp->reports = seqpkt_free(jp->reports);
	job_over(jp);
}

static void dismiss(struct op_waiter *waiter, struct op *op)
{
	(void)op;
	send_away(container_of(waiter, struct job_proc, dismiss));
}

/* The helper waits for another job, unless it was told to end meanwhile. */
static void keep(struct job_proc *jp)
{
	if (!jp->op || jp->cancelled) {
		send_away(jp);
		return;
	}
	jp->keeper = jp->op;
	op_wait(jp->op, &jp->dismiss);
	answer(jp);
}

static void on_report(void *data, const void *bytes, size_t len, int *fds, size_t n_fds)
{
	struct job_proc *jp = data;
	struct job_report report = { 0 };
	struct err err = { 0 };

	(void)fds;
	(void)n_fds;
	if (wire_decode(&job_report_schema, bytes, len, &report, &err) < 0) {
		log_error(LOG_NONE, "job %s: %s", jp->row->name, err.msg);
		wire_free(&job_report_schema, &report);
		return;
	}
	if (report.done) {
		wire_free(&job_report_schema, &jp->last);
		jp->last = report;
		if (report.stays)
			keep(jp);
		return;
	}
	if (jp->op && report.stage)
		op_progress(jp->op, report.stage, report.now_bytes, report.total_bytes);
	if (jp->op && report.result.len > 0)
		let_go(jp, &report);
	wire_free(&job_report_schema, &report);
}

static void on_reports_end(void *data, int code)
{
	struct job_proc *jp = data;

	(void)code;
	jp->reports = seqpkt_free(jp->reports);
	job_over(jp);
}

static const struct seqpkt_handler report_handler = {
	.on_message = on_report,
	.on_closed = on_reports_end,
};

static void cancel_job(struct op *op)
{
	struct job_proc *jp = op->cancel_data;

	jp->cancelled = true;
	if (jp->proc)
		(void)aio_proc_kill(jp->proc, SIGTERM);
}

struct job_stdio {
	int in_fd, out_fd; /* -EBADF: none */
};

/* Returns: descriptor of what the helper reads, or -errno with @err set. */
static int write_spec(const struct job *job, bool stays, struct err *err)
{
	struct job written = *job;
	struct buf bytes = { 0 };
	int fd;

	written.stays = stays;
	wire_encode(&job_schema, &written, &bytes);
	fd = fd_memfd_new("job", bytes.data, bytes.len);
	buf_done(&bytes);
	return fd < 0 ? err_set(err, fd, "make spec of job %s", job_row(job->kind)->name) : fd;
}

static int spawn(struct job_proc *jp, const struct job_stdio *io, int spec_fd, struct err *err)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", jp->core->dirs.helpers, jp->row->program);
	const char *argv[] = { path, jp->row->name, NULL };
	_cleanup_(fd_closep) int child_end = -EBADF;
	int pair[2], r;

	r = seqpkt_pair(pair);
	if (r < 0)
		return err_set(err, r, "make report channel of %s", jp->row->program);
	child_end = pair[1];
	jp->reports =
		seqpkt_new(jp->core->loop, pair[0], JOB_REPORT_BYTES_MAX, &report_handler, jp);
	return aio_proc_spawn(jp->core->loop,
			      &(struct aio_proc_spec){
				      .program = path,
				      .argv = argv,
				      .fds = (int[]){ io->in_fd, io->out_fd, STDERR_FILENO, spec_fd,
						      child_end },
				      .n_fds = 5,
			      },
			      on_exit_status, jp, &jp->proc, err);
}

/* Returns: the running job, or NULL with @err set. */
static struct job_proc *start(struct core *core, const struct job_row *row,
			      const struct job_stdio *io, int spec_fd, struct err *err)
{
	struct job_proc *jp = xcalloc(1, sizeof(*jp));

	list_append(&core->jobs, &jp->node);
	list_init(&jp->dismiss.node);
	jp->dismiss.done = dismiss;
	jp->core = core;
	jp->row = row;
	if (spawn(jp, io, spec_fd, err) == 0)
		return jp;
	job_proc_free(jp);
	return NULL;
}

/* Give the job to the helper that is kept for it. Returns: NULL: there is none. */
static struct job_proc *start_in_kept(struct op *op, const struct job_row *row, int spec_fd)
{
	struct list *node;

	list_for_each(node, &op->core->jobs) {
		struct job_proc *jp = list_entry(node, struct job_proc, node);

		if (jp->keeper != op || !streq(jp->row->program, row->program) || !jp->proc ||
		    !jp->reports || seqpkt_send(jp->reports, "", 1, &spec_fd, 1) < 0)
			continue;
		op_wait_cancel(&jp->dismiss);
		jp->keeper = NULL;
		jp->row = row;
		wire_free(&job_report_schema, &jp->last);
		return jp;
	}
	return NULL;
}

/* Its streams and its sandbox are a helper's for good: only the one without either is kept. */
static bool may_stay(const struct job_row *row, const struct job_stdio *io)
{
	return io->in_fd < 0 && io->out_fd < 0 && streq(row->program, "sysctr-worker");
}

/* @op: NULL: nobody waits. Returns: the running job, or NULL with @err set. */
static struct job_proc *begin(struct core *core, struct op *op, const struct job *job,
			      const struct job_stdio *io, struct err *err)
{
	const struct job_row *row = job_row((enum job_kind)job->kind);
	bool stays = op && may_stay(row, io);
	_cleanup_(fd_closep) int spec_fd = -EBADF;
	struct job_proc *jp = NULL;

	if (space_is_for((enum job_kind)job->kind) && space_check(core, err) < 0)
		return NULL;
	spec_fd = write_spec(job, stays, err);
	if (spec_fd < 0)
		return NULL;
	if (stays)
		jp = start_in_kept(op, row, spec_fd);
	return jp ? jp : start(core, row, io, spec_fd, err);
}

static enum op_next run(struct op *op, const struct job *job, const struct job_stdio *io,
			job_done_fn *done)
{
	struct job_proc *jp = begin(op->core, op, job, io, &op->err);

	(void)fd_close(io->in_fd);
	(void)fd_close(io->out_fd);
	if (!jp)
		return OP_FAIL;
	jp->op = op_ref(op);
	jp->done = done;
	op->cancel_wait = cancel_job;
	op->cancel_data = jp;
	return OP_WAIT;
}

enum op_next job_run(struct op *op, const struct job *job, int in_fd, job_done_fn *done)
{
	return run(op, job, &(struct job_stdio){ in_fd, -EBADF }, done);
}

enum op_next job_run_out(struct op *op, const struct job *job, int out_fd, job_done_fn *done)
{
	return run(op, job, &(struct job_stdio){ -EBADF, out_fd }, done);
}

int job_pipe_open(struct job_pipe *pipe, int *ret_read_fd, struct err *err)
{
	int ends[2] = { -EBADF, -EBADF }, r = fd_pipe(ends);

	pipe->out_fd = ends[1];
	if (r < 0)
		return err_set(err, r, "make a pipe");
	*ret_read_fd = ends[0];
	return 0;
}

void job_pipe_close(struct job_pipe *pipe)
{
	pipe->out_fd = fd_close(pipe->out_fd);
}

static void pipe_ended(struct op_waiter *waiter, struct op *op)
{
	(void)op;
	job_pipe_close(container_of(waiter, struct job_pipe, ended));
}

void job_pipe_watch(struct job_pipe *pipe, struct op *op)
{
	pipe->ended.done = pipe_ended;
	op_wait(op, &pipe->ended);
}

enum op_next job_run_io(struct op *op, const struct job *job, int in_fd, int out_fd,
			job_done_fn *done)
{
	return run(op, job, &(struct job_stdio){ in_fd, out_fd }, done);
}

enum op_next job_undone(struct op *op, const struct job_report *report)
{
	const char *inst = op->inst ? op->inst->record->name : NULL;

	if (report->result.len > 0 || (report->done && report->code >= 0))
		return OP_NEXT;
	op->undo_failed = true;
	log_error(((struct log_keys){ .inst = inst, .op = op->id }),
		  "undo: remove what was made: %s", report->text ? report->text : "helper died");
	return OP_NEXT;
}

uint64_t job_result_u64(const struct job_report *report, const char *key, uint64_t max)
{
	const char *text = strmap_get(&report->result, key);
	uint64_t value = 0;

	return text && parse_u64(text, max, &value) == 0 ? value : 0;
}

uint64_t job_result_size(const struct job_report *report)
{
	return job_result_u64(report, "size", INT64_MAX);
}

void job_run_detached(struct core *core, const struct job *job)
{
	struct err err = { 0 };

	if (!begin(core, NULL, job, &(struct job_stdio){ -EBADF, -EBADF }, &err))
		log_error(LOG_NONE, "%s", err.msg);
}

bool job_is_running(const struct core *core, enum job_kind kind)
{
	struct list *node;

	list_for_each(node, (struct list *)&core->jobs) {
		const struct job_proc *jp = list_entry(node, struct job_proc, node);

		if (!jp->keeper && jp->row == job_row(kind))
			return true;
	}
	return false;
}

void jobs_done(struct core *core)
{
	struct list *node, *tmp;

	list_for_each_safe(node, tmp, &core->jobs)
		job_proc_free(list_entry(node, struct job_proc, node));
}

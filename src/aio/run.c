/*
 * aio/run.c - aio_run_text(): a short program fed with text, its output collected (aio, sysctrd)
 *
 *   U1  It is over when the program has ended, not when its output has: a grandchild that keeps
 *       the pipes open does not hold up the answer.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aio/poll.h"
#include "aio/proc.h"
#include "aio/timer.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "os/fd.h"

enum {
	RUN_TIMEOUT_S = 30
};

/* One of the program's outputs, the first AIO_RUN_OUTPUT_MAX bytes kept. */
struct capture {
	int fd;
	struct aio_poll *poll;
	struct buf text;
};

struct aio_run {
	char *program;
	struct aio_proc *proc;
	struct aio_timer deadline; /* of the program; with start_err: of the report */
	bool timed_out;
	char *text;
	size_t text_len, text_done;
	int in_fd;
	struct aio_poll *in_poll;
	struct capture out, log;
	struct err start_err;
	aio_run_fn fn;
	void *data;
};

static void close_input(struct aio_run *run)
{
	run->in_poll = aio_poll_free(run->in_poll);
	run->in_fd = fd_close(run->in_fd);
}

static void close_capture(struct capture *capture)
{
	capture->poll = aio_poll_free(capture->poll);
	capture->fd = fd_close(capture->fd);
}

static void run_free(struct aio_run *run)
{
	aio_timer_stop(&run->deadline);
	close_input(run);
	close_capture(&run->out);
	close_capture(&run->log);
	buf_done(&run->out.text);
	buf_done(&run->log.text);
	run->proc = aio_proc_free(run->proc);
	free(run->program);
	free(run->text);
	free(run);
}

static void on_input(void *data, unsigned int ready)
{
	struct aio_run *run = data;
	ssize_t n = write(run->in_fd, run->text + run->text_done, run->text_len - run->text_done);

	(void)ready;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		run->text_done += (size_t)n;
	/* A program that stops reading says why by its exit status. */
	if (n <= 0 || run->text_done == run->text_len)
		close_input(run);
}

/* Returns: false at the end of what there is to read now. */
static bool read_capture(struct capture *capture)
{
	char bytes[4096];
	ssize_t n = capture->fd < 0 ? 0 : read(capture->fd, bytes, sizeof(bytes));

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		close_capture(capture);
		return false;
	}
	buf_add(&capture->text, bytes, MIN((size_t)n, AIO_RUN_OUTPUT_MAX - capture->text.len));
	return true;
}

static void on_output(void *data, unsigned int ready)
{
	(void)ready;
	(void)read_capture(data);
}

static void drain(struct capture *capture)
{
	/* Bounded: a grandchild may write for ever. */
	for (int i = 0; i < 64 && read_capture(capture); i++)
		;
}

static void on_ended(void *data, int wait_status)
{
	struct aio_run *run = data;
	char status[AIO_STATUS_LEN];
	struct err err = { 0 };

	drain(&run->out);
	drain(&run->log);
	if (run->timed_out)
		(void)err_set(&err, -ETIMEDOUT, "%s", run->program);
	else if (wait_status != 0) {
		_cleanup_(freep) char *log = str_printable(buf_str(&run->log.text), true);

		log[strcspn(log, "\n")] = '\0';
		(void)err_kind(&err, ERR_INTERNAL, "%s %s%s%s", run->program,
			       aio_status_text(status, wait_status), *log ? ": " : "", log);
	}
	run->fn(run->data, buf_str(&run->out.text), err.msg[0] ? &err : NULL);
	run_free(run);
}

static void on_deadline(void *data)
{
	struct aio_run *run = data;

	run->timed_out = true;
	(void)aio_proc_kill(run->proc, SIGKILL);
}

static void on_start_failed(void *data)
{
	struct aio_run *run = data;

	run->fn(run->data, "", &run->start_err);
	run_free(run);
}

static int open_pipes(struct aio_run *run, int ret_child_fds[3])
{
	int fds[2];
	int *ours[3] = { &run->in_fd, &run->out.fd, &run->log.fd };

	for (int i = 0; i < 3; i++) {
		int rc = fd_pipe(fds);

		if (rc < 0)
			return rc;
		ret_child_fds[i] = fds[i > 0];
		*ours[i] = fds[i == 0];
		rc = fd_set_nonblock(*ours[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int start(struct aio_loop *loop, struct aio_run *run, const struct aio_proc_spec *spec)
{
	int child_fds[3] = { -EBADF, -EBADF, -EBADF };
	struct aio_proc_spec with_pipes = *spec;
	int rc = open_pipes(run, child_fds);

	with_pipes.fds = child_fds;
	with_pipes.n_fds = ARRAY_LEN(child_fds);
	if (rc < 0)
		rc = err_set(&run->start_err, rc, "run %s: make pipes", spec->program);
	else
		rc = aio_proc_spawn(loop, &with_pipes, on_ended, run, &run->proc, &run->start_err);
	for (size_t i = 0; i < ARRAY_LEN(child_fds); i++)
		(void)fd_close(child_fds[i]);
	return rc;
}

struct aio_run *aio_run_text(struct aio_loop *loop, const struct aio_proc_spec *spec,
			     const char *text, uint64_t timeout_ns, aio_run_fn fn, void *data)
{
	struct aio_run *run = xcalloc(1, sizeof(*run));

	run->program = xstrdup(spec->program);
	run->text = xstrdup(text ? text : "");
	run->text_len = strlen(run->text);
	run->in_fd = run->out.fd = run->log.fd = -EBADF;
	run->fn = fn;
	run->data = data;
	if (start(loop, run, spec) < 0) {
		aio_timer_start(loop, &run->deadline, 0, on_start_failed, run);
		return run;
	}
	if (timeout_ns == 0)
		timeout_ns = (uint64_t)RUN_TIMEOUT_S * NS_PER_S;
	aio_timer_start(loop, &run->deadline, timeout_ns, on_deadline, run);
	run->in_poll = aio_poll_new(loop, run->in_fd, on_input, run);
	run->out.poll = aio_poll_new(loop, run->out.fd, on_output, &run->out);
	run->log.poll = aio_poll_new(loop, run->log.fd, on_output, &run->log);
	aio_poll_set(run->in_poll, AIO_WRITE);
	aio_poll_set(run->out.poll, AIO_READ);
	aio_poll_set(run->log.poll, AIO_READ);
	return run;
}

void aio_run_cancel(struct aio_run *run)
{
	if (run->proc)
		(void)aio_proc_kill(run->proc, SIGKILL);
	run_free(run);
}

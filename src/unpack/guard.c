/* unpack/guard.c - see guard.h */
#include "unpack/guard.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "os/fd.h"
#include "os/sock.h"

enum {
	KEEP_MAX = 8,
	WRITE_BACK_MS = 250,
	MEMORY_BYTES = 768 << 20 /* xz -9e takes 65 MiB, zstd 128 */
};

#define WRITE_BACK_NS  ((uint64_t)WRITE_BACK_MS * NS_PER_MS)
#define FILE_BYTES_MAX (UINT64_C(1) << 40)

struct body {
	guard_fn *fn;
	void *data;
	int fd;
};

/* In the sandbox. */
static int run_body(void *data)
{
	struct body *body = data;
	struct report report;
	struct err err = { 0 };

	int r = report_init(&report, body->fd, false, &err);
	if (r == 0)
		r = body->fn(body->data, &report, &err);
	int status = report_finish(&report, r, &err);
	report_done(&report);
	return status;
}

/* What the sandbox said last. */
static int take_end(const struct job_report *theirs, struct report *report, struct err *err)
{
	strmap_for_each(entry, &theirs->result) report_result(report, entry->key, entry->value);
	if (theirs->code >= 0)
		return 0;
	if (err) {
		_cleanup_(freep) char *text =
			str_printable(theirs->text ? theirs->text : "", false);
		*err = (struct err){ .code = theirs->code };
		err->kind = theirs->kind < ERR_KIND_MAX ? theirs->kind : ERR_INTERNAL;
		(void)strncat(err->msg, text, sizeof(err->msg) - 1);
	}
	return theirs->code;
}

static int died(struct sandbox *sandbox, const char *name, struct err *err)
{
	int status = sandbox_wait(sandbox, err);

	if (status < 0)
		return status;
	return err_kind(err, ERR_INVALID,
			"%s: the program that reads it died (status %d): the file asks for too "
			"much, or is made to break it",
			name, status);
}

/* Returns: 1 to go on, 0 at the good end, -errno. */
static int relay_one(int fd, char *bytes, struct report *report, struct err *err)
{
	struct job_report theirs = { 0 };
	size_t n_fds = 0;

	ssize_t len = sock_recv(fd, bytes, JOB_REPORT_BYTES_MAX, NULL, 0, &n_fds);
	if (len <= 0)
		return -EPIPE;
	int r = wire_decode(&job_report_schema, bytes, (size_t)len, &theirs, err);
	if (r == 0 && !theirs.done) {
		report_progress(report, theirs.stage ? theirs.stage : "", theirs.now_bytes,
				theirs.total_bytes);
		r = 1;
	} else if (r == 0) {
		r = take_end(&theirs, report, err);
	}
	wire_free(&job_report_schema, &theirs);
	return r;
}

/* What is written goes to the disk meanwhile: the job's last syncfs() then has little to wait for. */
static void write_back(int root_fd, uint64_t *next_ns)
{
	if (root_fd < 0 || time_mono_ns() < *next_ns)
		return;
	(void)syncfs(root_fd); /* the last one counts */
	*next_ns = time_mono_ns() + WRITE_BACK_NS;
}

static int relay(struct sandbox *sandbox, const struct guard_job *job, int fd,
		 struct report *report, struct err *err)
{
	_cleanup_(freep) char *bytes = xmalloc(JOB_REPORT_BYTES_MAX);
	uint64_t write_back_ns = time_mono_ns() + WRITE_BACK_NS;

	for (;;) {
		write_back(job->root_fd, &write_back_ns);
		int r = report_wait(report, fd, POLLIN, job->root_fd < 0 ? -1 : WRITE_BACK_MS);
		if (r == 0)
			continue;
		if (r == -ECANCELED)
			return report_cancel_err(err);
		if (r < 0)
			return err_set(err, r, "wait for the sandbox");
		r = relay_one(fd, bytes, report, err);
		if (r == -EPIPE)
			return died(sandbox, job->name, err);
		if (r <= 0)
			return r;
	}
}

int guard_run(const struct guard_job *job, guard_fn *fn, void *data, struct report *report,
	      struct err *err)
{
	_cleanup_(sandbox_done) struct sandbox sandbox = { 0 };
	const struct sandbox_bind root = { job->root_path, job->root_fd, "/", false, true, false };
	int keep[KEEP_MAX + 1], socks[2];

	if (job->n_keep_fds > KEEP_MAX)
		return err_kind(err, ERR_INTERNAL, "guard: too many descriptors");
	int r = sock_pair(socks);
	if (r < 0)
		return err_set(err, r, "make a socket pair");
	_cleanup_(fd_closep) int our_fd = socks[0];
	_cleanup_(fd_closep) int their_fd = socks[1];
	for (size_t i = 0; i < job->n_keep_fds; i++)
		keep[i] = job->keep_fds[i];
	keep[job->n_keep_fds] = their_fd;
	struct sandbox_plan plan = {
		.name = job->name,
		.id_base = job->id_base,
		.id_count = job->id_count,
		.binds = job->binds ? job->binds : &root,
		.n_binds = job->binds	       ? job->n_binds
			   : job->root_fd >= 0 ? 1
					       : 0,
		.filter = SANDBOX_FILTER_PARSER,
		.keep_fds = keep,
		.n_keep_fds = job->n_keep_fds + 1,
		.memory_bytes = MEMORY_BYTES,
		.file_bytes = FILE_BYTES_MAX,
	};
	struct body body = { fn, data, their_fd };
	r = sandbox_start(&plan, run_body, &body, &sandbox, err);
	if (r < 0)
		return r;
	their_fd = fd_close(their_fd);
	return relay(&sandbox, job, our_fd, report, err);
}

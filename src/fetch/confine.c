/* fetch/confine.c - see confine.h */
#include "fetch/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/wire.h"
#include "os/fd.h"
#include "os/sandbox.h"

enum {
	NOBODY = 65534,
	ANSWER_BYTES_MAX = 64 * 1024,
	MEMORY_BYTES = 1024 * 1024 * 1024,
	FILE_BYTES_SLACK =
		1024 * 1024, /* RLIMIT_FSIZE is not what ends a transfer that is too big */
	BINDS_MAX = 8,
	KEEP_MAX = 4
};

struct body {
	struct confine *confine;
	confine_fn *fn;
	int answer_fd; /* memfd shared with the parent: a struct job_report */
};

static int run_body(void *data)
{
	struct body *body = data;
	struct confine *confine = body->confine;
	struct job_report answer = { .done = true };
	_cleanup_(buf_done) struct buf bytes = { 0 };
	struct report report;
	struct err err = { 0 };

	if (report_init(&report, JOB_REPORT_FD, false, &err) < 0)
		return 1;
	confine->report = &report;
	answer.code = body->fn(confine, &err);
	answer.kind = err.kind;
	answer.text = answer.code < 0 ? err.msg : NULL;
	answer.result = confine->result;
	wire_encode(&job_report_schema, &answer, &bytes);
	return fd_write_all(body->answer_fd, bytes.data, bytes.len) < 0;
}

/* What the body answered. It has read what a server sent: nothing in it is trusted. */
static int read_answer(int fd, struct confine *confine, struct err *err)
{
	_cleanup_(buf_done) struct buf bytes = { 0 };
	struct job_report answer = { 0 };
	int r;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, -errno, "read the sandbox's answer");
	r = fd_read_all(fd, ANSWER_BYTES_MAX, &bytes);
	if (r < 0)
		return err_set(err, r, "read the sandbox's answer");
	r = wire_decode(&job_report_schema, bytes.data, bytes.len, &answer, err);
	if (r == 0 && !answer.done)
		r = err_set(err, -EPIPE, "the download's sandbox ended without an answer");
	if (r == 0) {
		strmap_merge(&confine->result, &answer.result);
		if (answer.code < 0) {
			(void)err_kind(err, answer.kind < ERR_KIND_MAX ? answer.kind : ERR_INTERNAL,
				       "%s", answer.text ? answer.text : "failed");
			r = answer.code;
		}
	}
	wire_free(&job_report_schema, &answer);
	return r;
}

static int follow(struct sandbox *sandbox, struct report *report, struct err *err)
{
	int r = report_wait(report, sandbox->pidfd, POLLIN, -1);

	if (r == -ECANCELED)
		return report_cancel_err(err);
	return r < 0 ? err_set(err, r, "wait for the sandbox") : sandbox_wait(sandbox, err);
}

/* "/a/b" of "file:///a/b/c", else NULL. New string. */
static char *local_dir(const char *url)
{
	const char *path = url ? str_after(url, "file://") : NULL;
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash > path ? xstrndup(path, (size_t)(slash - path)) : NULL;
}

static void add_bind(struct sandbox_plan *plan, struct sandbox_bind *binds, const char *path)
{
	struct stat st;

	if (path && stat(path, &st) == 0)
		binds[plan->n_binds++] = (struct sandbox_bind){
			.src = path,
			.src_fd = -EBADF,
			.dst = path,
			.ro = true,
		};
}

int confine_run(struct confine *confine, confine_fn *fn, struct report *report, struct err *err)
{
	/* /run: where resolv.conf may lead to */
	static const char *const shown[] = { "/etc", "/usr/share", "/usr/lib/ssl",
					     "/run/systemd/resolve", "/run/resolvconf" };
	const struct job *job = confine->job;
	_cleanup_(sandbox_done) struct sandbox sandbox = { .pidfd = -EBADF };
	_cleanup_(freep) char *local = local_dir(confine->url);
	_cleanup_(fd_closep) int answer_fd = memfd_create("answer", MFD_CLOEXEC);
	struct sandbox_bind binds[BINDS_MAX];
	int keep_fds[KEEP_MAX] = { JOB_REPORT_FD, answer_fd, confine->fd };
	struct body body = { .confine = confine, .fn = fn, .answer_fd = answer_fd };
	struct sandbox_plan plan = {
		.name = "fetch",
		.id_base = job->id_base ? job->id_base : NOBODY,
		.id_count = job->id_base ? job->id_count : 1,
		.binds = binds,
		.keep_net = true,
		.filter = SANDBOX_FILTER_BUILD,
		.keep_fds = keep_fds,
		.n_keep_fds = confine->fd >= 0 ? 3 : 2,
		.memory_bytes = MEMORY_BYTES,
		.file_bytes = job->size_bytes ? job->size_bytes + FILE_BYTES_SLACK : 0,
	};
	int r;

	if (answer_fd < 0)
		return err_set(err, -errno, "make a memory file");
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		add_bind(&plan, binds, shown[i]);
	add_bind(&plan, binds, local);
	r = sandbox_start(&plan, run_body, &body, &sandbox, err);
	if (r == 0)
		r = follow(&sandbox, report, err);
	if (r < 0)
		return r;
	return read_answer(answer_fd, confine, err);
}

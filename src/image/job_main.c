/* image/job_main.c - see job_main.h; it answers for the program, so it logs (style G1) */
#include "image/job_main.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "os/caps.h"
#include "os/fd.h"

struct helper {
	const char *program;
	job_fn *const *jobs;
	struct report report;
};

static int do_job(struct helper *helper, int spec_fd, struct err *err)
{
	struct job job = { 0 };
	int r = report_read_job(spec_fd, &job, err);

	helper->report.stays = job.stays;
	if (r == 0 && (job.kind >= JOB_KIND_MAX || !helper->jobs[job.kind]))
		r = err_kind(err, ERR_UNSUPPORTED, "%s: job %u is not known", helper->program,
			     job.kind);
	if (r == 0)
		r = helper->jobs[job.kind](&job, &helper->report, err);
	wire_free(&job_schema, &job);
	return r;
}

/* Returns: the program's exit status. */
static int report_job(struct helper *helper, int spec_fd)
{
	struct err err = { 0 };
	int r = do_job(helper, spec_fd, &err);

	(void)fd_close(spec_fd);
	return report_finish(&helper->report, r, &err);
}

int job_main(const char *program, job_fn *const jobs[JOB_KIND_MAX])
{
	struct helper helper = { .program = program, .jobs = jobs };
	struct err err = { 0 };
	int r, status, spec_fd = JOB_SPEC_FD;

	(void)umask(022);
	(void)caps_set_nondumpable();
	(void)fd_cloexec_from(JOB_SPEC_FD);
	r = report_init(&helper.report, JOB_REPORT_FD, true, &err);
	if (r < 0) {
		log_error(LOG_NONE, "%s: %s", program, err_text(&err, r));
		return EXIT_FAILURE;
	}
	do {
		status = report_job(&helper, spec_fd);
		spec_fd = helper.report.stays ? report_await_job(&helper.report) : -EBADF;
	} while (spec_fd >= 0);
	report_done(&helper.report);
	return status;
}

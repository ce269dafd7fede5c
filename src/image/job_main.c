/* image/job_main.c - see job_main.h; it answers for the program, so it logs (style G1) */
#include "image/job_main.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "os/caps.h"
#include "os/fd.h"

static int run_job(const char *program, job_fn *const jobs[JOB_KIND_MAX], struct report *report,
		   struct err *err)
{
	struct job job = { 0 };
	int r = report_read_job(JOB_SPEC_FD, &job, err);

	if (r == 0 && (job.kind >= JOB_KIND_MAX || !jobs[job.kind]))
		r = err_kind(err, ERR_UNSUPPORTED, "%s: job %u is not known", program, job.kind);
	if (r == 0)
		r = jobs[job.kind](&job, report, err);
	wire_free(&job_schema, &job);
	return r;
}

int job_main(const char *program, job_fn *const jobs[JOB_KIND_MAX])
{
	struct report report;
	struct err err = { 0 };
	int r, status;

	(void)umask(022);
	(void)caps_set_nondumpable();
	(void)fd_cloexec_from(JOB_SPEC_FD);
	r = report_init(&report, JOB_REPORT_FD, true, &err);
	if (r < 0) {
		log_error(LOG_NONE, "%s: %s", program, err_text(&err, r));
		return EXIT_FAILURE;
	}
	r = run_job(program, jobs, &report, &err);
	status = report_finish(&report, r, &err);
	report_done(&report);
	return status;
}

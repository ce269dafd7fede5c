/*
 * image/job_main.h - what the helper programs do around their job
 *
 * Layer: image. Process: sysctr-fetch, sysctr-unpack, sysctr-worker; blocks as the job does.
 */
#pragma once

#include "base/err.h"
#include "image/report.h"
#include "spec/job.h"

/*
 * One job of a helper. Cancelling is its own business: it asks report_cancelled(), removes what it
 * made and returns report_cancel_err(). Returns: 0, or -errno with *err set.
 */
typedef int job_fn(const struct job *job, struct report *report, struct err *err);

/*
 * Take the job that sysctrd handed over, run it, report its end; those that follow as well.
 *
 * @program: for messages. @jobs: by kind; NULL is the job of another program.
 * Returns: the program's exit status.
 */
int job_main(const char *program, job_fn *const jobs[JOB_KIND_MAX]);

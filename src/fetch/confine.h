/*
 * fetch/confine.h - run the part of a fetch that talks to a server in a sandbox
 *
 * Process: sysctr-fetch; blocks. Inside there are the host's network, its certificates and
 * resolver's files, and the descriptors named; the ids are those of the job, else nobody's.
 */
#pragma once

#include "base/err.h"
#include "image/report.h"
#include "spec/job.h"

/* What the body has; it answers by filling result, or *err. */
struct confine {
	const struct job *job;
	const char *url;
	uint64_t resume_at;
	int fd;		       /* of the file to be written; -EBADF: none */
	struct report *report; /* its own: for progress only */
	struct strmap result;
};

typedef int confine_fn(struct confine *confine, struct err *err);

/*
 * Run @fn on a copy of *@confine in the sandbox; confine->result and *@err are its answer.
 * @report: of the job, to hear that it is cancelled. Errors: those of @fn, ERR_CANCELLED.
 */
int confine_run(struct confine *confine, confine_fn *fn, struct report *report, struct err *err);

/*
 * unpack/guard.h - run one function of a job in the sandbox and be its only contact
 *
 * sysctr-unpack; blocks until the function is done, the job is cancelled or the sandbox died. What
 * the sandbox says is decoded as a stranger's.
 */
#pragma once

#include "image/report.h"
#include "os/sandbox.h"

/* In the sandbox: results go into @report. Returns: 0 or -errno with *err set. */
typedef int guard_fn(void *data, struct report *report, struct err *err);

struct guard_job {
	const char *name; /* of the process */
	uint32_t id_base;
	uint32_t id_count;
	int root_fd;			  /* becomes "/", id-mapped; -EBADF: an empty tmpfs */
	const char *root_path;		  /* for messages */
	const struct sandbox_bind *binds; /* instead of root_fd; an empty tmpfs around them */
	size_t n_binds;
	const int *keep_fds;
	size_t n_keep_fds;
};

/* Progress and results of the function go to @report. */
int guard_run(const struct guard_job *job, guard_fn *fn, void *data, struct report *report,
	      struct err *err);

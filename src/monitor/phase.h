/*
 * monitor/phase.h - run a table of short named phases
 *
 * A phase's name is in the process title while it runs, in the trace, and in front of its error.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "monitor/title.h"

typedef int phase_fn(void *data, struct err *err);

struct phase {
	const char *name; /* NULL ends the table */
	phase_fn *run;
	bool names_itself; /* its errors have a phase's name in front already */
};

struct phase_run {
	const char *program; /* for the title */
	const char *inst;
	const struct title *title;
};

/* Run all in order until one fails. Errors: that one's, as "make-root: ...". */
int phase_run_all(const struct phase *phases, const struct phase_run *run, void *data,
		  struct err *err);

/*
 * image/report.h - how a helper reads its job, reports, and hears that it is not wanted any more
 *
 * Layer: image. Process: sysctr-fetch, sysctr-unpack, sysctr-worker and their sandboxes (there over
 * a socket pair of its own). The format is spec/job.h.
 *
 *   R1  Progress is sent at most ten times a second and is dropped when the reader is slow.
 *   R2  A report is ended exactly once; what was said after that is not sent.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "spec/job.h"

struct report {
	int fd;	       /* SOCK_SEQPACKET; borrowed */
	int signal_fd; /* SIGTERM, SIGINT; -EBADF: not listened to */
	uint64_t last_ns;
	bool cancelled;
	bool finished;
	bool stays; /* after the end of this job, if it is a success, for another one; cleared by a
		       job that has changed its process for good */
	struct strmap result; /* goes out with the next report that is sent for sure */
};

/* Read the job from @fd. Free with wire_free(&job_schema, ...) also after a failure. */
int report_read_job(int fd, struct job *ret_job, struct err *err);

/*
 * Begin to report to @fd. @catch_signals: block SIGTERM and SIGINT in this process and take them
 * as "cancel"; SIGPIPE is ignored too.
 */
int report_init(struct report *report, int fd, bool catch_signals, struct err *err);
void report_done(struct report *report);

/* @stage is a word; @total_bytes 0: unknown. A changed stage is sent at once by report_stage(). */
void report_progress(struct report *report, const char *stage, uint64_t now_bytes,
		     uint64_t total_bytes);
void report_stage(struct report *report, const char *stage);

/* Set a result; it travels with the end, or with report_flush(). Copies. */
void report_result(struct report *report, const char *key, const char *value);

/* Send the results so far at once, though the job goes on; nobody gives it another one then. */
void report_flush(struct report *report);

/*
 * Whether to give up: SIGTERM came, or the reader is gone. Cheap enough to be asked per block.
 * Callers end with report_cancel_err().
 */
bool report_cancelled(struct report *report);
int report_cancel_err(struct err *err); /* ERR_CANCELLED; returns -ECANCELED */

/*
 * Block until @fd is ready for @events (POLLIN, ...) or the job is cancelled.
 *
 * @timeout_ms: -1: none. Returns: 1 ready, 0 time is over, -ECANCELED.
 */
int report_wait(struct report *report, int fd, short events, int timeout_ms);

/* The last report: failed when @rc < 0, with *@err. Returns: the program's exit status. */
int report_finish(struct report *report, int rc, const struct err *err);

/*
 * After that, with report->stays: block until there is another job, which is reported from now on.
 *
 * Returns: the descriptor to read it from, the caller's to close; -ECANCELED: there is none.
 */
int report_await_job(struct report *report);

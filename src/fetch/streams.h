/*
 * fetch/streams.h - JOB_STREAMS_FETCH: an image of a simplestreams server to files in the cache
 *
 * Process: sysctr-fetch; blocks. Each text of the server is fetched and parsed in a sandbox of its
 * own; the files come as those of JOB_FETCH do (resumed, checked). Over plain HTTP only from this
 * host itself: what the index says is all that the files are checked against.
 */
#pragma once

#include "base/err.h"
#include "image/report.h"
#include "spec/job.h"

/* JOB_STREAMS_LIST, in the same sandboxes. */
int streams_list(const struct job *job, struct report *report, struct err *err);

int streams_run(const struct job *job, struct report *report, struct err *err);

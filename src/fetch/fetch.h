/*
 * fetch/fetch.h - JOB_FETCH: a URL to a file, checked and whole
 *
 * Process: sysctr-fetch, root; blocks. Servers are talked to in a sandbox (fetch/confine.h); this
 * side opens the file before, and checks and renames it after.
 *
 *   F1  dst appears by rename once it is complete, synced and its checksum is right.
 *   F2  "<dst>.part" stays after a failed transfer and is gone on from, if there is a checksum that
 *       tells whether the parts fit together; after a wrong checksum it is gone.
 */
#pragma once

#include "base/err.h"
#include "image/report.h"
#include "spec/job.h"

int fetch_run(const struct job *job, struct report *report, struct err *err);

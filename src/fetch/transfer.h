/*
 * fetch/transfer.h - one download by libcurl
 *
 * Process: the sandbox of sysctr-fetch; blocks until the transfer is over. The only file that knows
 * libcurl.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "image/report.h"

struct transfer {
	const char *url;
	uint64_t max_bytes; /* of the whole file; 0: no bound */

	bool keep_scheme; /* https does not lead to http */

	/* where the bytes go: a file from @resume_at on, or a buf */
	int fd;
	uint64_t resume_at;
	struct buf *out; /* when fd is negative */

	struct report *report; /* progress; NULL: none */

	/* set by transfer_run() */
	uint64_t done_bytes; /* in the file */
	char *final_url;     /* after redirects; owned by the caller */
	bool no_resume;	     /* it failed because the server cannot go on from there: begin again */
};

/*
 * http, https and file; redirects lead to http and https only.
 * Errors: ERR_NOT_FOUND, ERR_UNAVAILABLE (nobody there, stalled, server's fault), ERR_INVALID.
 */
int transfer_run(struct transfer *transfer, struct err *err);

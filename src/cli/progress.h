/* cli/progress.h - one line on the terminal that says how far an operation is (cli, sysctr) */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct cli;

/*
 * The words for an operation's metadata: "Unpacking image: 42% (31.50MiB/s, 12s left)". @out is
 * appended to. Returns: false when there is nothing to say.
 */
bool progress_format(const json_t *operation, uint64_t elapsed_ns, struct buf *out);

/* Bytes sent so far of @total (0: unknown). */
void progress_format_bytes(const char *what, uint64_t done, uint64_t total, uint64_t elapsed_ns,
			   struct buf *out);

/* Bytes on their way to or from the daemon. */
struct progress_bytes {
	const char *what;     /* "Uploading" */
	uint64_t done, total; /* total 0: unknown */
	uint64_t since_ns, drawn_ns;
};

/* From now on. @what: borrowed. */
struct progress_bytes progress_begin(const char *what);

/* Draw how far it is: not within the first second, and at most five times in each. */
void progress_update(struct cli *cli, struct progress_bytes *bytes);

/* Draw @text over the last line; nothing when standard error is no terminal or with --quiet. */
void progress_draw(struct cli *cli, const char *text);
void progress_clear(struct cli *cli);

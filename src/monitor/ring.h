/*
 * monitor/ring.h - the last bytes that the console said
 *
 * Layer: monitor. Pure. Positions count all bytes ever put and never wrap, so a reader that was too
 * slow sees that its position is older than ring_oldest() and goes on from there.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct ring {
	char *bytes; /* owned */
	size_t size; /* a power of two */
	uint64_t end;
	uint64_t cleared; /* nothing before this is shown any more */
};

/* @size: a power of two. Memory is touched only as it fills. */
int ring_init(struct ring *ring, size_t size);
void ring_done(struct ring *ring);

void ring_put(struct ring *ring, const char *bytes, size_t len);
void ring_clear(struct ring *ring);

uint64_t ring_oldest(const struct ring *ring);

/*
 * A run of bytes from position @from (moved up to the oldest when it is older).
 * Returns: its length, 0 at the end; @ret_bytes borrowed until the next put.
 */
size_t ring_peek(const struct ring *ring, uint64_t *from, const char **ret_bytes);

/* Where the last @lines lines begin, at most @max_bytes back. */
uint64_t ring_tail(const struct ring *ring, uint32_t lines, size_t max_bytes);

/*
 * storage/trace.h - a driver that tells what is asked of another one, and what it answered
 *
 * Layer: storage. For tests and for looking for faults; adds nothing to the contract.
 */
#pragma once

#include "storage/driver.h"

/* One call: "volume_create c1 -> 0". */
typedef void trace_cb(void *data, const char *line);

struct trace {
	struct pool *inner; /* borrowed */
	trace_cb *cb;
	void *data;
};

/* Make *@ret_pool a pool that passes everything to @trace->inner; @trace is borrowed. */
void trace_pool_init(struct trace *trace, struct pool *ret_pool);

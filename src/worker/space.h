/*
 * worker/space.h - a job that fills a pool asks between files whether to go on (worker)
 *
 * It ends when it is cancelled, and when less than the job's reserve is free in the pool.
 */
#pragma once

#include "image/report.h"
#include "storage/pool.h"

struct space {
	struct report *report;
	struct pool *pool;
	uint64_t reserve_bytes;
	uint64_t free_bytes;
	bool low; /* that was too little */
};

/* Have the pool ask @space (filled by this) from now on. */
void space_watch(struct space *space, struct pool *pool, const struct job *job,
		 struct report *report);

/* @r: what became of the work. Returns: it, or -ENOSPC with the reason when space was the cause. */
int space_result(const struct space *space, int r, struct err *err);

/* worker/job_pool_prepare.c - JOB_POOL_PREPARE: a pool ready for use after whatever happened */
#include "base/macro.h"
#include "storage/pool.h"
#include "worker/jobs.h"

enum {
	TRIAL_ID_BASE = 0x7fff0000, /* when the daemon names none: far from everybody's ranges */
	TRIAL_ID_COUNT = 65536
};

int job_pool_prepare(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -1 };
	struct pool_request request = {
		.name = job->pool.name,
		.driver = job->pool.driver,
		.dir = job->pool.dir,
		.ids = { job->id_base, job->id_count },
	};

	if (request.ids.base == 0 || request.ids.count == 0)
		request.ids = (struct storage_ids){ TRIAL_ID_BASE, TRIAL_ID_COUNT };
	int r = pool_prepare(&request, &pool, err);
	if (r == 0)
		report_result(report, "driver", pool.driver->name);
	return r;
}

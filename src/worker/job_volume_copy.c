/* worker/job_volume_copy.c - JOB_VOLUME_COPY: an instance's volume once more */
#include <errno.h>

#include "base/macro.h"
#include "storage/pool.h"
#include "worker/jobs.h"
#include "worker/space.h"

int job_volume_copy(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -1 };
	struct space space;
	const struct volume_copy copy = {
		.from = job->snapshot ? job->snapshot : job->from_volume,
		.volume = job->volume,
		.image = job->image,
		.refresh = job->refresh,
		.of_snapshot = job->snapshot != NULL,
		.quota_bytes = job->size_bytes,
	};

	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &pool, err);
	if (r < 0)
		return r;
	space_watch(&space, &pool, job, report);
	report_stage(report, "copy");
	r = pool.driver->volume_copy(&pool, &copy, err);
	r = space_result(&space, r, err);
	return r < 0 ? r : 0; /* there already: S3 */
}

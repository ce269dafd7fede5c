/* worker/job_volume_limit.c - JOB_VOLUME_LIMIT: how much a volume may take */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/macro.h"
#include "storage/pool.h"
#include "worker/jobs.h"

int job_volume_limit(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -EBADF };
	const struct volume_limit limit = { .volume = job->volume,
					    .bytes = job->size_bytes,
					    .custom = job->custom };
	char text[24];

	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &pool, err);
	if (r == 0)
		r = pool.driver->volume_limit(&pool, &limit, err);
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "%" PRIu64, job->size_bytes);
	report_result(report, "size", text);
	return 0;
}

/* worker/job_volume_rename.c - JOB_VOLUME_RENAME: an instance's volume under another name */
#include "base/macro.h"
#include "storage/pool.h"
#include "worker/jobs.h"

int job_volume_rename(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -1 };

	(void)report;
	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &pool, err);
	if (r < 0)
		return r;
	r = pool.driver->volume_rename(&pool, job->from_volume, job->volume, err);
	return r < 0 ? r : 0; /* done already: S3 */
}

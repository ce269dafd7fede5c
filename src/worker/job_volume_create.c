/* worker/job_volume_create.c - JOB_VOLUME_CREATE: an instance's root from an image volume */
#include <errno.h>

#include "base/err.h"
#include "base/macro.h"
#include "storage/pool.h"
#include "worker/jobs.h"
#include "worker/space.h"

int job_volume_create(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -1 };
	struct space space;

	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &pool, err);
	if (r < 0)
		return r;
	space_watch(&space, &pool, job, report);
	r = pool.driver->volume_create(&pool, job->volume, job->image, job->size_bytes, err);
	r = space_result(&space, r, err);
	return r < 0 ? r : 0; /* there already: S3 */
}

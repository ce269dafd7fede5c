/* worker/job_pool_delete.c - JOB_POOL_DELETE: a pool without volumes goes */
#include "storage/pool_make.h"
#include "worker/jobs.h"

int job_pool_delete(const struct job *job, struct report *report, struct err *err)
{
	const struct pool_removal removal = {
		.name = job->pool.name,
		.driver = job->pool.driver,
		.dir = job->pool.dir,
		.own_dir = job->pool.own_dir,
		.disk = job->pool.disk,
		.own_disk = job->pool.own_disk,
	};

	(void)report; /* what is half gone is gone on with by the next call: not to be cancelled */
	return pool_remove(&removal, err);
}

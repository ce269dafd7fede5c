/* worker/job_volume_replace.c - JOB_VOLUME_REPLACE: a new root takes the old one's place */
#include "base/macro.h"
#include "storage/pool.h"
#include "worker/jobs.h"

/* May be repeated after a crash at any point: what counts is whether the new volume is there. */
int job_volume_replace(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -1 };
	char trash[UUID_LEN];

	(void)report;
	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &pool, err);
	if (r == 0)
		r = pool.driver->volume_exists(&pool, VOLUME_INSTANCE, job->from_volume, err);
	if (r <= 0)
		return r; /* done already */
	int hidden = pool.driver->volume_hide(&pool, VOLUME_INSTANCE, job->volume, trash, err);
	if (hidden < 0)
		return hidden;
	r = pool.driver->volume_rename(&pool, job->from_volume, job->volume, err);
	if (r < 0)
		return r;
	return hidden == 0 ? pool.driver->volume_free(&pool, trash, err) : 0;
}

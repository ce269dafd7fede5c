/* worker/job_side_write.c - JOB_SIDE_WRITE: side files as they are to be now */
#include "base/macro.h"
#include "base/str.h"
#include "storage/side.h"
#include "worker/jobs.h"

int job_side_write(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -1 };
	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &pool, err);

	(void)report; /* a moment's work */
	if (r < 0)
		return r;
	strmap_for_each(entry, &job->properties)
	{
		int one = str_empty(entry->value)
				  ? side_remove(&pool, entry->key, r < 0 ? NULL : err)
				  : side_write(&pool, entry->key, entry->value, r < 0 ? NULL : err);

		r = MIN(r, one); /* the others are written all the same */
	}
	return r;
}

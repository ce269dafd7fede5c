/* worker/job_volume_copy.c - JOB_VOLUME_COPY: an instance's volume once more */
#include <errno.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "base/fmt.h"
#include "base/macro.h"
#include "storage/pool.h"
#include "worker/jobs.h"

struct ask {
	struct report *report;
	struct pool *pool;
	uint64_t reserve_bytes;
	uint64_t free_bytes;
	bool low; /* that was too little */
};

/* Asked between files and blocks: also whether what has to stay free still is. */
static bool ask(void *data)
{
	struct ask *ask = data;
	struct statvfs st;

	if (report_cancelled(ask->report))
		return true;
	if (fstatvfs(ask->pool->dir_fd, &st) < 0 || st.f_bavail * st.f_frsize >= ask->reserve_bytes)
		return false;
	ask->free_bytes = st.f_bavail * st.f_frsize;
	ask->low = true;
	return true;
}

int job_volume_copy(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -1 };
	struct ask data = { report, &pool, job->reserve_bytes, 0, false };
	const struct volume_copy copy = {
		.from = job->snapshot ? job->snapshot : job->from_volume,
		.volume = job->volume,
		.image = job->image,
		.refresh = job->refresh,
		.of_snapshot = job->snapshot != NULL,
		.quota_bytes = job->size_bytes,
	};
	char have[FMT_BYTES_LEN], keep[FMT_BYTES_LEN];

	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &pool, err);
	if (r < 0)
		return r;
	pool.cancel = ask;
	pool.cancel_data = &data;
	report_stage(report, "copy");
	r = pool.driver->volume_copy(&pool, &copy, err);
	if (r == -ECANCELED && data.low)
		return err_kind(err, ERR_UNAVAILABLE,
				"not enough space in \"%s\": %s are free, %s must stay free",
				pool.dir, fmt_bytes(have, data.free_bytes),
				fmt_bytes(keep, job->reserve_bytes));
	return r < 0 ? r : 0; /* there already: S3 */
}

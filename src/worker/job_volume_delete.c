/* worker/job_volume_delete.c - JOB_VOLUME_DELETE: the name is free at once, the space afterwards */
#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/pool.h"
#include "storage/side.h"
#include "worker/jobs.h"

/* sysctrd would, a moment later, unless it ends before. */
static void forget_side_file(struct pool *pool, const struct job *job)
{
	_cleanup_(freep) char *object =
		xasprintf("%s%s", job->custom ? JOB_SIDE_CUSTOM : "", job->volume);

	(void)side_remove(pool, object, NULL);
}

int job_volume_delete(const struct job *job, struct report *report, struct err *err)
{
	_cleanup_(pool_close) struct pool pool = { .dir_fd = -1 };
	_cleanup_(strv_freep) char **all = NULL;
	char trash[UUID_LEN];

	int r = pool_open(job->pool.name, job->pool.driver, job->pool.dir, &pool, err);
	if (r < 0)
		return r;
	if (job->stage)
		r = pool.driver->copy_abort(&pool, job->stage, err);
	if (r < 0)
		return r;
	r = pool.driver->volume_hide(&pool, job->custom ? VOLUME_CUSTOM : VOLUME_INSTANCE,
				     job->volume, trash, err);
	if (r == 0)
		strv_push(&all, trash);
	if (r >= 0)
		r = hide_snapshots(&pool, job, &all, err);
	if (r < 0)
		return r;
	forget_side_file(&pool, job);
	report_result(report, "hidden", "true");
	report_flush(report);
	/* cancelling makes no difference from here on: what is in the trash stays there */
	return free_trash(&pool, all, err);
}

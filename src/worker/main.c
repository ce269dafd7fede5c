/*
 * worker/main.c - sysctr-worker: one job from spec/job.h that needs no library but ours
 *
 * Worker; may block. Started for every instance that is created, so it links as little as can be.
 */
#include "worker/jobs.h"

/* A NULL entry is the job of another program. */
static job_fn *const jobs[JOB_KIND_MAX] = {
	[JOB_POOL_PREPARE] = job_pool_prepare,
	[JOB_VOLUME_CREATE] = job_volume_create,
	[JOB_VOLUME_DELETE] = job_volume_delete,
	[JOB_IMAGE_DELETE] = job_image_delete,
	[JOB_IMAGE_BUILD] = job_image_build,
	[JOB_SNAPSHOT_COPY] = job_snapshot_copy,
	[JOB_SNAPSHOT_COMMIT] = job_snapshot_commit,
	[JOB_SNAPSHOT_DELETE] = job_snapshot_delete,
	[JOB_VOLUME_RENAME] = job_volume_rename,
	[JOB_SNAPSHOT_DIFF] = job_snapshot_diff,
	[JOB_VOLUME_REPLACE] = job_volume_replace,
	[JOB_POOL_CREATE] = job_pool_create,
	[JOB_POOL_DELETE] = job_pool_delete,
	[JOB_CUSTOM_CREATE] = job_custom_create,
	[JOB_CUSTOM_USAGE] = job_custom_usage,
	[JOB_INSTANCE_TRANSFER] = job_instance_transfer,
	[JOB_SIDE_WRITE] = job_side_write,
	[JOB_VOLUME_LIMIT] = job_volume_limit,
	[JOB_POOL_GROW] = job_pool_grow,
	[JOB_INSTANCE_USAGE] = job_instance_usage,
};

int main(void)
{
	return job_main("sysctr-worker", jobs);
}

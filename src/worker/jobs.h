/*
 * worker/jobs.h - the jobs of sysctr-worker, one file each (worker, blocking)
 *
 * A job returns 0, or -errno with *err set; main() reports that. Cancelling is its own business:
 * it asks report_cancelled(), removes what it made and returns report_cancel_err().
 */
#pragma once

#include "image/job_main.h"
#include "storage/pool.h"

job_fn job_pool_prepare, job_pool_create, job_pool_grow;
job_fn job_pool_delete;
job_fn job_custom_create, job_custom_usage, job_instance_usage;
job_fn job_instance_transfer;
job_fn job_volume_create;
job_fn job_volume_delete;
job_fn job_volume_limit;
job_fn job_volume_rename;
job_fn job_volume_replace;
job_fn job_image_delete;
job_fn job_image_build;
job_fn job_side_write;
job_fn job_snapshot_copy;
job_fn job_snapshot_commit;
job_fn job_snapshot_delete;
job_fn job_snapshot_diff;

/* Hide the volumes of job->snapshots; what to give to free_trash() is added to *@ret_trash. */
int hide_snapshots(struct pool *pool, const struct job *job, char ***ret_trash, struct err *err);

/* Free them all. Errors: the first one met. */
int free_trash(struct pool *pool, char *const *trash, struct err *err);

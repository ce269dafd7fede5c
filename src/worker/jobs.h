/*
 * worker/jobs.h - the jobs of sysctr-worker, one file each (worker, blocking)
 *
 * A job returns 0, or -errno with *err set; main() reports that. Cancelling is its own business:
 * it asks report_cancelled(), removes what it made and returns report_cancel_err().
 */
#pragma once

#include "image/job_main.h"

job_fn job_pool_prepare;
job_fn job_volume_create;
job_fn job_volume_delete;
job_fn job_image_delete;
job_fn job_image_build;

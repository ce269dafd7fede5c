/*
 * unpack/jobs.h - the jobs of sysctr-unpack, one file each (unpack, blocking)
 *
 * A job returns 0, or -errno with *err set; main() reports that. Nothing of an image's bytes is
 * parsed outside of the sandbox.
 */
#pragma once

#include "image/job_main.h"

job_fn job_backup_inspect;
job_fn job_backup_store;
job_fn job_backup_unpack;
job_fn job_image_publish;
job_fn job_image_store;
job_fn job_image_unpack;
job_fn job_instance_export;
job_fn job_side_read;

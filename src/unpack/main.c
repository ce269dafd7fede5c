/*
 * unpack/main.c - sysctr-unpack: jobs from spec/job.h on archives that strangers made
 *
 * Unpack; may block. The process is root's; every archive is read in a sandbox (os/sandbox.h).
 */
#include <locale.h>

#include "unpack/jobs.h"

/* A NULL entry is the job of another program. */
static job_fn *const jobs[JOB_KIND_MAX] = {
	[JOB_IMAGE_STORE] = job_image_store,	 [JOB_IMAGE_UNPACK] = job_image_unpack,
	[JOB_IMAGE_PUBLISH] = job_image_publish, [JOB_INSTANCE_EXPORT] = job_instance_export,
	[JOB_BACKUP_STORE] = job_backup_store,	 [JOB_BACKUP_INSPECT] = job_backup_inspect,
	[JOB_BACKUP_UNPACK] = job_backup_unpack, [JOB_SIDE_READ] = job_side_read,
};

int main(void)
{
	/* names in archives are UTF-8; the C locale would make libarchive convert them */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return job_main("sysctr-unpack", jobs);
}

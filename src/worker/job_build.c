/* worker/job_build.c - JOB_IMAGE_BUILD: a template to an image file; see image/build.h */
#include "image/build.h"
#include "worker/jobs.h"

int job_image_build(const struct job *job, struct report *report, struct err *err)
{
	return build_run(job, report, err);
}

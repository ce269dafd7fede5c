/* unpack/store_image.h - the end of every job that leaves an image in the store (sysctr-unpack) */
#pragma once

#include "image/store.h"
#include "spec/job.h"

/* Inspect what was taken, in the sandbox, keep it, and report what spec/job.h promises. */
int store_image_finish(const struct job *job, struct store *store, struct report *report,
		       struct err *err);

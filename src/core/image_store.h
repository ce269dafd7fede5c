/*
 * core/image_store.h - from files that a helper left in <state>/images to an image of the store
 *
 * Layer: core.
 */
#pragma once

#include "core/op.h"
#include "spec/image.h"
#include "spec/job.h"

struct core;

/* Fill the parts of a JOB_IMAGE_STORE or _BUILD that are the daemon's: dir, ids, reserve. */
void image_store_fill_job(struct core *core, struct job *job);

/*
 * Make the image of a final report of JOB_IMAGE_STORE or _BUILD part of the store.
 *
 * @given: what the caller knows (filename, public, properties, aliases, source ...), copied; its
 * properties win over those of the report. The op's metadata gets fingerprint and size.
 * Errors: ERR_CONFLICT "Image with same fingerprint already exists".
 */
int image_store_add(struct op *op, const struct job_report *report,
		    const struct image_record *given, struct err *err);

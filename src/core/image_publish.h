/*
 * core/image_publish.h - images made from instances
 *
 * Layer: core. What makes an instance one particular machine is left out (unpack/pack.h).
 */
#pragma once

#include "base/err.h"
#include "core/op.h"
#include "spec/image.h"

struct inst;

struct image_publish {
	struct image_record *given; /* aliases, public, properties; without a fingerprint */
	char *snapshot;	   /* of the instance; NULL: as it is, and then it has to be stopped */
	char *compression; /* job_compressions */
};
void image_publish_free(struct image_publish *publish);

/*
 * The op's metadata gets fingerprint and size. @publish: taken.
 * Errors: ERR_INVALID while it runs or for an unknown compression.
 */
int image_publish(struct inst *inst, struct image_publish *publish, struct op **ret_op,
		  struct err *err);

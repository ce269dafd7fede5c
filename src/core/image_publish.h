/*
 * core/image_publish.h - images made from instances
 *
 * Layer: core. What makes an instance one particular machine is left out (unpack/pack.h).
 */
#pragma once

#include "base/err.h"
#include "core/op.h"
#include "core/still.h"
#include "spec/image.h"

struct inst;

struct image_publish {
	struct still still;	    /* used while it runs */
	struct image_record *given; /* aliases, public, properties; without a fingerprint */
	char *snapshot;		    /* of the instance; NULL: as it is */
	char *compression;	    /* job_compressions */
};
void image_publish_free(struct image_publish *publish);

/*
 * The op's metadata gets fingerprint and size. @publish: taken.
 * Errors: ERR_INVALID for an unknown compression, ERR_NOT_FOUND.
 */
int image_publish(struct inst *inst, struct image_publish *publish, struct op **ret_op,
		  struct err *err);

/*
 * image/pack.h - what a built image says about itself (image, pure)
 *
 * The same properties go into its metadata.yaml and into the results of the job.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/strmap.h"
#include "spec/template.h"

/*
 * os, release, variant, architecture, description, serial, name; and init and stop_signal when the
 * template names them.
 */
void pack_properties(const struct template *t, const struct template_plan *plan, int64_t created_s,
		     struct strmap *properties);

/* The metadata.yaml of an image with these properties. */
void pack_metadata(const char *architecture, const struct strmap *properties, int64_t created_s,
		   struct buf *out);

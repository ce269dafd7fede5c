/*
 * core/image_refresh.h - images kept as their server has them, and the end of those nobody uses
 *
 * Layer: core. Looks once a minute at what is due; the rest is operations.
 *
 *   R1  When images were looked at last is stored: a host that is often restarted does not ask more
 *       often, and a look that was missed is made up for, once.
 *   R2  A new version takes over aliases, profiles and settings of the old one in one transaction;
 *       a failure is a warning about that image and changes nothing.
 *   R3  What instances stand on stays (core/image.h, M1).
 */
#pragma once

#include "base/err.h"
#include "core/op.h"
#include "spec/image.h"

struct core;
struct image_refresher;

struct image_refresher *image_refresher_new(struct core *core);
struct image_refresher *image_refresher_free(struct image_refresher *refresher); /* returns NULL */

/* Everything is known, or the configuration has changed: look soon. */
void image_refresher_start(struct image_refresher *refresher);

/*
 * Ask the server that @image came from for its newest version; op->metadata "refreshed" says
 * whether there was one. Errors: ERR_INVALID when it came from no such server.
 */
int image_refresh(struct core *core, const struct image_record *image, struct op **ret_op,
		  struct err *err);

/*
 * storage/transfer.h - an instance's volume, or a snapshot of one, once more in another pool
 *
 * Layer: storage. Process: sysctr-worker, which entered a mount namespace of its own
 * (os/layers.h) before it opened the pools: what stands on an image is seen through an overlay.
 */
#pragma once

#include "storage/driver.h"

struct transfer {
	struct pool *from, *to;
	enum volume_kind kind; /* VOLUME_INSTANCE, VOLUME_SNAPSHOT */
	const char *volume;
	const char *image; /* what it stands on; NULL: nothing */
	const char *stage; /* uuid: for copy_commit */
	bool keep_layer;   /* the image is unpacked in @to too: copy only what lies on it */
	bool forget;	   /* without the machine's identity (storage/identity.h) */
};

/*
 * Fill the stage in @to; without keep_layer it is a whole root that stands on nothing.
 * Errors: ERR_NOT_FOUND (volume, image), ERR_CONFLICT while the volume is in use (S4), -ENOSPC,
 * -ECANCELED; the stage is gone then.
 */
int transfer_volume(const struct transfer *transfer, struct err *err);

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
	bool from_stage; /* what is copied is the stage of request.stage in @from, not its volume */
	bool keep_layer; /* the image is unpacked in @to too: copy only what lies on it */
	bool unused;	 /* refuse a volume that is in use (S4), and keep it so meanwhile */
	/* image: what the volume stands on, also without forget; NULL: nothing */
	struct copy_request request;
};

/*
 * copy_fill, from a volume of @from into a stage of @to, whatever their drivers; without keep_layer
 * it becomes a whole root that stands on nothing.
 *
 * An overlay's layers must not change while they are merged: such a volume is copied WHOLE, when
 * nobody writes to it. Of one that runs, its own pool makes a stage first (C1 of storage/copy.h).
 *
 * Errors: as copy_fill; ERR_CONFLICT (unused), ERR_UNSUPPORTED for layers in other passes than WHOLE.
 */
int transfer_volume(const struct transfer *transfer, struct err *err);

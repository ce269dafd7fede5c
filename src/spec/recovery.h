/*
 * spec/recovery.h - what is found beside the volumes of a pool, for "admin recover"
 *
 * Pure. A helper reads it and hands it over; texts are parsed in its sandbox only.
 */
#pragma once

#include "base/vec.h"
#include "spec/backup.h"
#include "spec/pool.h"

enum {
	RECOVERY_FILES_MAX = 10000,
	RECOVERY_FILE_BYTES_MAX = 1 << 20,
	RECOVERY_BYTES_MAX = 256 << 20 /* of all, encoded */
};

/* The side file of an instance or of a custom volume. */
struct recovery_item {
	char *name;	/* of the file, without its ending: the instance, the volume's uuid */
	char *problem;	/* why it cannot be read; NULL: index is what it says */
	bool is_there;	/* the volume itself is */
	char **missing; /* "snapshot snap0", "image 3f2a...": what is not in the pool */
	struct backup_index index;
};

struct recovery {
	VEC(struct recovery_item) items;
	VEC(struct recovery_item) volumes;
	struct pool_record pool; /* what its own side file says; without one a name of NULL */
	char *pool_problem;	 /* why that cannot be read */
	char *driver;		 /* what the pool is, as far as was asked and can be told */
	char *uuid;		 /* of its btrfs, when it is on a disk of its own */
};
extern const struct wire_schema recovery_schema; /* free with wire_free() */

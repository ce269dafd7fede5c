/*
 * spec/recovery.h - what is found beside the volumes of a pool, for "admin recover"
 *
 * Pure. A helper reads it and hands it over; texts are parsed in its sandbox only.
 */
#pragma once

#include "base/vec.h"
#include "spec/backup.h"

enum {
	RECOVERY_FILES_MAX = 10000,
	RECOVERY_FILE_BYTES_MAX = 1 << 20,
	RECOVERY_BYTES_MAX = 256 << 20 /* of all, encoded */
};

/* One side file. */
struct recovery_item {
	char *name;	/* of the file, without its ending: the instance */
	char *problem;	/* why it cannot be read; NULL: index is what it says */
	bool is_there;	/* the instance's own volume is */
	char **missing; /* "snapshot snap0", "image 3f2a...": what is not in the pool */
	struct backup_index index;
};

struct recovery {
	VEC(struct recovery_item) items;
};
extern const struct wire_schema recovery_schema; /* free with wire_free() */

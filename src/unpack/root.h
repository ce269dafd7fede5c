/*
 * unpack/root.h - the root file system of an instance's volume, held still for reading
 *
 * sysctr-unpack. Nothing below it is looked at but the names that are ours.
 */
#pragma once

#include <stdbool.h>

#include "spec/job.h"
#include "storage/pool.h"

struct root {
	struct pool pool;
	int volume_fd; /* held with flock */
	int fd;	       /* a mount or a directory */
	bool is_mount; /* the ids are mapped already */
};

/*
 * The volume of @job in its pool: its snapshot, if it names one, else its instance's. Fill the zeroed
 * *@ret_root; root_close() also after a failure. Once in a process.
 * Errors: ERR_NOT_FOUND, ERR_CONFLICT while it is in use.
 */
int root_open(const struct job *job, struct root *ret_root, struct err *err);

/* One more, a snapshot in the pool of @first. @image: what it stands on; NULL: nothing. */
int root_open_snapshot(const struct job *job, const struct root *first, const char *snapshot,
		       const char *image, struct root *ret_root, struct err *err);
void root_close(struct root *root);

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
 * The volume of @job in its pool. Fill the zeroed *@ret_root; root_close() also after a failure.
 * Errors: ERR_NOT_FOUND, ERR_CONFLICT while it is in use.
 */
int root_open(const struct job *job, struct root *ret_root, struct err *err);
void root_close(struct root *root);

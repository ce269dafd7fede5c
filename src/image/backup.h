/*
 * image/backup.h - backups of instances as LXD, Incus and this program write them: a tarball with
 * backup/index.yaml, backup/container/rootfs/ and backup/snapshots/<name>/rootfs/; and of custom
 * volumes: backup/volume/ and backup/volume-snapshots/<name>/
 *
 * Layer: image; in a sandbox only. What else is in it (backup.yaml, metadata.yaml, templates) is
 * passed over: the index says everything.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "image/report.h"
#include "spec/backup.h"

/*
 * @fd: as of tarball_open(). @custom: it has to be of a custom volume. Fill the zeroed *@ret_index, to be freed also after a failure; nothing
 * behind the index is read. Errors: ERR_INVALID, ERR_UNSUPPORTED with words for the user.
 */
int backup_read_index(int fd, bool custom, struct report *report, struct backup_index *ret_index,
		      struct err *err);

/* Where a root file system goes. */
struct backup_root {
	const char *snapshot; /* NULL: the instance's or the volume's own */
	char dir[16];	      /* absolute, empty, owned by id 0 */
};

struct backup_unpacking {
	int fd; /* as of tarball_open() */
	uint64_t reserve_bytes;
	const struct backup_root *roots;
	size_t n_roots;
	bool custom; /* of a custom volume */
};

/* All of them in one pass. Errors: ERR_INVALID, also when one is not there; -ENOSPC. */
int backup_unpack(const struct backup_unpacking *what, struct report *report, struct err *err);

/*
 * os/prjquota.h - project quotas of ext4 and xfs: what is below a directory counts for a number
 *
 * Layer: os. Worker processes and sysctrd, root. All plain; nothing blocks for long. A container can
 * neither leave its project nor change it: only the initial user namespace may.
 *
 *   Q1  An empty directory is marked; what is made in it later belongs to its project. Nothing that
 *       belongs to another one can be renamed or linked into it (-EXDEV).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	/* Far from the numbers that people and other programs give (1, 10000, 1048577 ...). */
	PRJQUOTA_ID_BASE = 0x53000000,
	PRJQUOTA_ID_COUNT = 1 << 24
};

/*
 * Whether the file system of @fd counts projects and holds them to their limits.
 *
 * Returns: 0, or 1 when it only counts. Errors: -ENOSYS (it has none, or this kernel not for it),
 * -ESRCH (it is mounted without).
 */
int prjquota_state(int fd);

/* @ret_id: 0 is nobody's. @ret_inherits: what is made in the directory gets the same. */
int prjquota_get(int fd, uint32_t *ret_id, bool *ret_inherits);

/* Q1 */
int prjquota_mark(int dir_fd, uint32_t id);

/* Whether the number is one that prjquota_choose() gives. Pure. */
bool prjquota_is_ours(uint32_t id);

/* A number that nothing on the file system belongs to, and that has no limit. */
int prjquota_choose(int fd, uint32_t *ret_id);

struct prjquota {
	uint64_t used_bytes;
	uint64_t limit_bytes; /* 0: none */
	uint64_t used_inodes;
};
int prjquota_read(int fd, uint32_t id, struct prjquota *ret_quota);

/* @bytes: rounded up to KiB; 0: no limit. */
int prjquota_limit(int fd, uint32_t id, uint64_t bytes);

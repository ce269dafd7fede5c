/*
 * os/idmap.h - the id range of a user namespace
 *
 * Layer: os. Monitor, workers. Never blocks.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

enum {
	IDMAP_TEXT_LEN = 64
};

/* "0 100000 65536\n": container ids from 0 are host ids from @base. Pure. Returns @out. */
const char *idmap_format(char out[IDMAP_TEXT_LEN], uint32_t base, uint32_t count);

/*
 * Write uid and gid map of the user namespace of @pid, a child of the caller that is not reaped.
 * Root only. Plain.
 */
int idmap_write(pid_t pid, uint32_t base, uint32_t count);

/* The same of maps with more than one line, each below a page: user_namespaces(7). */
int idmap_write_text(pid_t pid, const char *uid_map, const char *gid_map);

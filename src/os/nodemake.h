/*
 * os/nodemake.h - a device node made for somebody else, as far as that one may write
 *
 * Layer os. For a process that ends with it: it becomes the other's, and does not come back.
 */
#pragma once

#include <sys/types.h>

/* Whose node it is. */
struct nodemake_owner {
	uid_t fsuid; /* of this user namespace */
	gid_t fsgid;
	mode_t umask;
	int root_fd; /* the root directory; O_PATH will do */
	int dir_fd;  /* where a relative path begins; -EBADF: at the root */
};

/* Take root, directory, umask and ids of @owner, and of all capabilities keep CAP_MKNOD alone. Plain. */
int nodemake_become(const struct nodemake_owner *owner);

/*
 * mknod(2) then, by a @path (which is cut up) without links of /proc on the way: to this process
 * they would lead elsewhere. Plain.
 */
int nodemake(char *path, mode_t mode, dev_t dev);

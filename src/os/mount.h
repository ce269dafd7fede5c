/*
 * os/mount.h - the mount system calls that work on descriptors
 *
 * Layer: os. Monitor, workers. May block (a network file system, an overlay's unmount).
 * A mount descriptor is a detached mount until mount_attach(); closing it unmounts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct mount_opt {
	const char *key;
	const char *value; /* NULL: a flag */
};

/*
 * A new detached file system.
 *
 * @opts: may be NULL when @n_opts is 0; a "source" is the first one. @attrs: MOUNT_ATTR_*.
 * Returns: mount descriptor, or -errno with the kernel's own explanation in @err.
 */
int mount_new(const char *fstype, const struct mount_opt *opts, size_t n_opts, uint64_t attrs,
	      struct err *err);

/*
 * A detached copy of the mount at @path (below @dir_fd; "" is @dir_fd itself). Plain.
 *
 * It is private: what is mounted on the copy would else appear on the host, whose mounts systemd
 * shares, and no shared mount can become a root.
 */
int mount_clone(int dir_fd, const char *path, bool recursive);

/* The same, but it goes on receiving what is mounted at the original, if that was shared or a slave. */
int mount_copy(int dir_fd, const char *path, bool recursive);

/* Set and clear MOUNT_ATTR_* of one mount. Plain. */
int mount_set_attrs(int mount_fd, uint64_t set, uint64_t clear);

/* Give the detached mount the ids of @userns_fd. Errors: -EINVAL when its fs cannot (plain). */
int mount_idmap(int mount_fd, int userns_fd);

/*
 * Set MOUNT_ATTR_* and, unless @userns_fd is negative, the ids of that namespace; all or nothing.
 * Errors: -EINVAL when a file system cannot take other ids. Plain.
 */
int mount_prepare(int mount_fd, bool recursive, uint64_t attrs, int userns_fd);

/* @type: MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE of mount(2). Plain. */
int mount_set_propagation(int mount_fd, bool recursive, uint64_t type);

/* Attach a detached mount on the directory or file @target_fd (O_PATH will do). Plain. */
int mount_attach(int mount_fd, int target_fd);

/* The same on an absolute path; "/" stacks it on the root. Plain. */
int mount_attach_at(int mount_fd, const char *path);

/* The mounts of this namespace receive from their parents, but send nothing. Plain. */
int mount_make_slave(void);

/* The mounts of this namespace neither send nor receive. Plain. */
int mount_make_private(void);

/*
 * The mounts of this namespace send to copies of it that are made later. What received from another
 * one before goes on to, and sends nothing there. Plain.
 */
int mount_make_shared(void);

/* Make @root_fd, a mount, the root and let go of the old one. Plain. */
int mount_pivot(int root_fd);

/* Whether something is mounted at the directory @path: 1 or 0. Plain. */
int mount_is_at(const char *path);

/* Unmount what is at @path. Errors: -EBUSY while somebody is in it. Plain. */
int mount_remove(const char *path);

/* Detach what is mounted at @path. Plain. */
int mount_detach(const char *path);

/* Name of the file system of @fd for messages: "ext4", "0x..." when unknown. Returns @out. */
const char *mount_fs_name(int fd, char out[32]);

/*
 * os/plug.h - put a mount into a running container, take it out, with the container's own rights
 *
 * Layer: os. Monitor, single-threaded. Blocks for a process of its own, PLUG_TIMEOUT_MS at most.
 *
 *   G1  What resolves or makes a name inside of the container is root of the container's user
 *       namespace in its mount namespace, and nobody on the host: whatever the names lead to, it
 *       can do there what the guest can do itself. Links are refused all the same (path.h T1).
 *   G2  The mount is copied into a namespace of the container's user namespace before it gets
 *       there: the kernel locks its flags (read-only, nosuid, nodev) and the mounts below it, so
 *       that the guest can unmount the whole but change or uncover nothing.
 *   G3  Nobody else sees the mount on its way: it happens in namespaces that end with the process.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum {
	PLUG_TIMEOUT_MS = 10000 /* a guest may have put a file system of its own in the way */
};

/* Where a container is. The descriptors are those of its start: later its init may be elsewhere. */
struct plug_place {
	int userns_fd; /* -EBADF: it has the host's */
	int mntns_fd;
	const char *target; /* plain, relative to its root */
};

/* What of the host is to be seen inside. */
struct plug_source {
	int mntns_fd;	  /* where path is looked up; never through a link */
	const char *path; /* absolute; a directory or anything else */
	bool recursive;	  /* with the mounts below it */
	bool follow;	  /* and what is mounted there later, where the host's mounts are shared */
	uint64_t spread; /* what it is to others inside: MS_SHARED, MS_UNBINDABLE; 0: as it comes */
	bool shift;	 /* ids of the container's user namespace */
	uint64_t attrs;	 /* MOUNT_ATTR_* */
};

struct plug_node {
	mode_t mode; /* S_IFCHR or S_IFBLK, and permissions */
	uint32_t major, minor;
	uid_t uid; /* as the host sees them */
	gid_t gid;
};

/*
 * Attach a copy of @source on the target, which is made when missing: a directory, or a file when
 * the source is none.
 *
 * @ret_id: for plug_out(). Errors: ERR_INVALID for a link in source or target, and when they are not
 * of one type; -ENOENT without a source; ERR_UNSUPPORTED when its file system takes no other ids.
 */
int plug_source(const struct plug_place *place, const struct plug_source *source, uint64_t *ret_id,
		struct err *err);

/* The same with the detached mount @mount_fd. */
int plug_mount(const struct plug_place *place, int mount_fd, uint64_t *ret_id, struct err *err);

/* The same with a new device node, which is on a file system of its own. */
int plug_node(const struct plug_place *place, const struct plug_node *node, uint64_t *ret_id,
	      struct err *err);

/*
 * Detach the mount @id, wherever the guest has moved it, with what the guest has mounted on it. Gone
 * is as good. @unlink: the empty file it was on goes too.
 */
int plug_out(const struct plug_place *place, uint64_t id, bool unlink, struct err *err);

/*
 * os/cgroup.h - the cgroups of one container, on unified and on hybrid hosts
 *
 * Layer os; used by the monitor (and by core to look for leftovers). Calls on cgroupfs only: short,
 * except cgroup_remove() and cgroup_kill(), which are bounded.
 *
 *   G1  <cgroup2 root>/<path> carries the limits and belongs to host root; <path>/payload below it is
 *       delegated to the container's root. On hybrid hosts <v1 mount>/<path> carries the limits.
 *   G2  No pid is ever written to cgroup.procs: that costs an RCU grace period. Who joins uses
 *       CLONE_INTO_CGROUP with payload_fd and then cgroup_join_v1() by itself.
 *   G3  Nothing here allocates, so the monitor may call all of it while the container runs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/cgroup_plan.h"

enum {
	CGROUP_NAME_LEN = 256, /* of one directory entry */
};

/* The groups of one container, open. All descriptors -EBADF when there is none. */
struct cgroup {
	const struct cgroup_host *host;
	char path[CGROUP_PATH_LEN];   /* "sysctr/web1" */
	int dir_fd;		      /* <unified>/<path> */
	int payload_fd;		      /* <unified>/<path>/payload: for CLONE_INTO_CGROUP */
	int events_fd;		      /* its cgroup.events: poll for POLLPRI */
	int tasks_fds[CGROUP_V1_MAX]; /* one per v1 hierarchy that it has a group in */
	size_t n_tasks_fds;
};

struct cgroup_usage {
	uint64_t memory_bytes, memory_peak_bytes, swap_bytes;
	uint64_t cpu_usage_ns;
	uint64_t processes; /* tasks, as pids.max counts them */
};

/* All fields -EBADF and empty. */
void cgroup_init(struct cgroup *cg);

/*
 * Make the groups of @path ("tag/name", made with its parents; on unified hosts the controllers are
 * turned on on the way), apply @limits and make payload, owned by @uid:@gid. An empty group of that
 * name, left over from a crash, is removed first. *ret_cg is to be freed with cgroup_done().
 *
 * Errors: -EBUSY when processes live there; -EINVAL naming the limit that the kernel refused.
 */
int cgroup_create(const struct cgroup_host *host, const char *path,
		  const struct cgroup_limits *limits, const uid_t owner[2], struct cgroup *ret_cg,
		  struct err *err);

/* Close everything; the groups stay. */
void cgroup_done(struct cgroup *cg);

/* Make just one group for ourselves (the monitor's own "tag/.monitor/web1"), no limits; its fd. */
int cgroup_create_plain(const struct cgroup_host *host, const char *path, int *ret_dir_fd,
			struct err *err);

/*
 * In the child, before it unshares the cgroup namespace: the caller joins each v1 group. Works from
 * inside the new user namespace; async-signal-safe. Returns: 0 or -errno.
 */
int cgroup_join_v1(const struct cgroup *cg);

/* The fds of cgroup_join_v1() alone. */
int cgroup_join_tasks(const int *tasks_fds, size_t n);

/* Write @limits again on the running container. Errors name the file. */
int cgroup_apply_limits(const struct cgroup *cg, const struct cgroup_limits *limits,
			struct err *err);

/* The same for one device. */
int cgroup_apply_io(const struct cgroup *cg, const struct cgroup_io *io, struct err *err);

/* Returns when frozen or thawed, or -ETIMEDOUT. */
int cgroup_freeze(const struct cgroup *cg, bool freeze, uint32_t timeout_ms, struct err *err);

/* SIGKILL to all, also to frozen ones; cgroup.kill, else (before 5.14) a walk. Does not wait. */
int cgroup_kill(const struct cgroup *cg, struct err *err);

/* Same, for one directory below payload (a session's leaf). */
int cgroup_kill_dir(int dir_fd);

/* Whether processes live there. Returns: 1, 0 or -errno. */
int cgroup_populated(const struct cgroup *cg);

/* Block until no process lives there. Errors: -ETIMEDOUT. */
int cgroup_wait_empty(const struct cgroup *cg, uint32_t timeout_ms);

/* What cannot be read is left 0. */
void cgroup_read_usage(const struct cgroup *cg, struct cgroup_usage *ret_usage);

/* Make @name (one component) below @parent_fd, owned by @owner; O_PATH-free directory fd. */
int cgroup_leaf_create(int parent_fd, const char *name, const uid_t owner[2], int *ret_dir_fd);

/* Remove @name and what is below it. Errors: -EBUSY (processes), -ENOENT. */
int cgroup_leaf_remove(int parent_fd, const char *name);

/*
 * Whether processes live in the group of this cgroup.events, as cgroup_populated(). Reading also arms
 * the descriptor: poll reports POLLPRI at once and for ever on one that was not read since.
 */
int cgroup_leaf_populated(int events_fd);

/*
 * Remove "tag/name" from every hierarchy with everything that the container made below it. Retries
 * for @timeout_ms while dying tasks hold groups. Nothing there is success.
 */
int cgroup_remove(const struct cgroup_host *host, const char *path, uint32_t timeout_ms,
		  struct err *err);

/*
 * Call @fn for each name below <unified>/@path ("tag") and, on hybrid hosts, below each v1 mount (so
 * a name may come more than once), hidden ones left out. A missing directory has no children.
 * @fn returns 0 to go on; anything else stops and is returned.
 */
int cgroup_for_each_child(const struct cgroup_host *host, const char *path,
			  int (*fn)(void *data, const char *name), void *data);

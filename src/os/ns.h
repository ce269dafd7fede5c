/*
 * os/ns.h - namespaces: clone3 into new ones, unshare, open and join
 *
 * Layer: os. Monitor, exec helper, workers. Single-threaded callers only. Plain functions.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* clone3 as fork: @flags CLONE_NEW* and CLONE_PARENT; @cgroup_fd: a cgroup2 directory, or -1. */
struct ns_clone {
	uint64_t flags;
	int cgroup_fd;
	int pidfd; /* out: close-on-exec descriptor of the child */
};

/* Returns: 0 in the child, its pid in the parent, or -errno. */
pid_t ns_clone(struct ns_clone *args);

int ns_unshare(uint64_t flags);

/* Join namespaces (CLONE_NEW*) of a pidfd, or of one namespace descriptor. */
int ns_join(int fd, uint64_t flags);

/* The namespace @kind ("user", "net", "mnt", "cgroup") of @pid. Returns: descriptor or -errno. */
int ns_open(pid_t pid, const char *kind);

int ns_set_hostname(const char *name);

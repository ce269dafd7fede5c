/*
 * os/cgroup_tree.h - remove and search trees of cgroups that a container may have grown at will
 *
 * Layer os; helpers of os/cgroup. Nothing here allocates, and no tree is too deep or too wide: one
 * directory is open at a time, however deep a container nests its groups.
 */
#pragma once

#include <sys/types.h>

/*
 * Remove the group @name (one component) below @parent_fd with all groups below it.
 * Errors: -EBUSY when processes live in one; nothing there is success.
 */
int cgroup_tree_remove(int parent_fd, const char *name);

/* SIGKILL to all processes in and below @dir_fd, on kernels without cgroup.kill. */
int cgroup_tree_kill(int dir_fd);

/*
 * Call @fn for each group right below @dir_fd. @fn returns 0 to go on; anything else stops and is
 * returned. Removing the entry it was called for is allowed.
 */
int cgroup_tree_for_each(int dir_fd, int (*fn)(void *data, const char *name), void *data);

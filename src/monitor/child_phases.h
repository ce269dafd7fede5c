/* monitor/child_phases.h - the phases of the container's side of start, by the file of their subject */
#pragma once

#include "base/err.h"

struct mon;

struct child {
	const struct mon *mon;
	int sync_fd;
	int root_fd;	  /* the new root, attached in our namespace */
	int console_fd;	  /* slave */
	char **init_argv; /* ready for execve */
	char **init_env;
};

/* child_ids.c */
int child_await_ids(void *child, struct err *err);
int child_become_root(void *child, struct err *err);
int child_join_v1_cgroups(void *child, struct err *err);
int child_unshare_cgroup(void *child, struct err *err);

/* child_root.c */
int child_private_mounts(void *child, struct err *err);
int child_take_root(void *child, struct err *err);
int child_mount_system(void *child, struct err *err);
int child_make_console(void *child, struct err *err);
int child_bind_notify(void *child, struct err *err);
int child_pivot(void *child, struct err *err);
int child_mask(void *child, struct err *err);
int child_share_mounts(void *child, struct err *err);

/* child_seed.c */
int child_write_seed(void *child, struct err *err);

/* child_exec.c */
int child_set_hostname(void *child, struct err *err);
int child_set_sysctls(void *child, struct err *err);
int child_await_go(void *child, struct err *err);
int child_drop_caps(void *child, struct err *err);
int child_reset(void *child, struct err *err);
int child_take_console(void *child, struct err *err);
int child_install_seccomp(void *child, struct err *err);
int child_exec(void *child, struct err *err);

/*
 * os/cgroup_plan.h - what a host's cgroups look like and what limits mean there
 *
 * Layer os; the pure half of os/cgroup: texts in, structs out. Any process; never blocks, except
 * cgroup_host_detect(), which reads two files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum cgroup_ctrl {
	CGROUP_CPU,
	CGROUP_CPUACCT,
	CGROUP_CPUSET,
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_IO, /* v1: blkio */
	CGROUP_CTRL_MAX
};

enum {
	CGROUP_PATH_LEN = 192,	/* a mount point, or a path below it */
	CGROUP_TEXT_LEN = 1024, /* what is written to one file */
	CGROUP_WRITES_MAX = 16,
	CGROUP_V1_MAX = 16, /* v1 hierarchies, named ones included */
};

#define CGROUP_NO_LIMIT UINT64_MAX

/* What this host has; found once per process. */
struct cgroup_host {
	char unified[CGROUP_PATH_LEN]; /* where cgroup2 is mounted */
	bool v2_has[CGROUP_CTRL_MAX];  /* in its cgroup.controllers */
	size_t n_v1;		       /* 0: a unified host */
	char v1_mounts[CGROUP_V1_MAX][CGROUP_PATH_LEN];
	int v1_of[CGROUP_CTRL_MAX]; /* index of the hierarchy, or -1 */
};

/* Plain numbers; every CGROUP_NO_LIMIT and NULL takes an earlier limit away. */
struct cgroup_limits {
	const char *cpus;	    /* cpuset list "0-1,3"; NULL: all */
	uint32_t cpu_weight;	    /* 1..10000, cgroup2 scale */
	uint64_t cpu_quota_us;	    /* per period; CGROUP_NO_LIMIT */
	uint64_t cpu_period_us;	    /* 1000..1000000 */
	uint64_t memory_bytes;	    /* CGROUP_NO_LIMIT */
	uint64_t memory_soft_bytes; /* reclaimed under pressure, nothing killed; 0: none */
	uint64_t swap_bytes;	    /* beyond memory; CGROUP_NO_LIMIT, 0: no swap */
	uint64_t pids;		    /* CGROUP_NO_LIMIT */
	uint64_t descendants;	    /* groups that the container may make below payload */
};

/* Of one block device, in a second; CGROUP_NO_LIMIT takes an earlier one away. */
struct cgroup_io {
	uint32_t major, minor;
	uint64_t read_bytes, write_bytes;
	uint64_t read_ops, write_ops;
};

/* One file to write. Order matters: apply from first to last. */
struct cgroup_write {
	int hierarchy;		    /* index of a v1 mount; -1: cgroup2 */
	bool optional;		    /* a host without the file (swap accounting) is no failure */
	char file[40];		    /* below the container's group there */
	char text[CGROUP_TEXT_LEN]; /* "": what the parent's file says */
};

struct cgroup_plan {
	size_t len;
	struct cgroup_write writes[CGROUP_WRITES_MAX];
};

const char *cgroup_ctrl_name(enum cgroup_ctrl ctrl); /* the cgroup2 name: "io", not "blkio" */

/*
 * Find out from /proc/self/mountinfo and cgroup.controllers.
 * Errors: ERR_UNSUPPORTED when no cgroup2 is mounted.
 */
int cgroup_host_detect(struct cgroup_host *ret_host, struct err *err);

/* The same from texts: mountinfo, and the cgroup.controllers of its root ("" is none). */
int cgroup_host_parse(const char *mountinfo, struct cgroup_host *ret_host, struct err *err);
void cgroup_host_set_controllers(struct cgroup_host *host, const char *controllers);

/* v1 cpu.shares (2..262144) of a cgroup2 weight (1..10000): 100 is 1024. */
uint64_t cgroup_shares_from_weight(uint32_t weight);

/*
 * What applying @limits means on @host.
 * Errors: ERR_INVALID (weight, quota, period, cpus), ERR_UNSUPPORTED (no such controller here).
 */
int cgroup_plan_limits(const struct cgroup_host *host, const struct cgroup_limits *limits,
		       struct cgroup_plan *ret_plan, struct err *err);

/* The same for one device. v1 throttles what is read, and what is written past the page cache. */
int cgroup_plan_io(const struct cgroup_host *host, const struct cgroup_io *io,
		   struct cgroup_plan *ret_plan, struct err *err);

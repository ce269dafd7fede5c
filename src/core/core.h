/*
 * core/core.h - the daemon's memory: every object, and the services that work on them
 *
 * Layer: core. Process: sysctrd. One thread; nothing here blocks for more than a database commit.
 *
 *   C1  What an API answer reports as done has been committed before.
 *   C2  Memory changes after the commit, never before: a failed commit leaves it untouched.
 *   C3  What can be rebuilt (bridges, rules, cgroups, connections) is rebuilt at start; what cannot
 *       is in the database or, for running containers, in their monitors.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/strmap.h"
#include "core/events.h"
#include "core/op.h"

struct aio_loop;
struct daemon_config;
struct db;
struct db_copies;
struct image_refresher;
struct hotplug;
struct inst;
struct netman;
struct preparation;
struct scheduler;
struct side_files;

struct core_dirs {
	char *state;	 /* /var/lib/sysctr */
	char *runtime;	 /* /run/sysctr */
	char *log;	 /* /var/log/sysctr */
	char *helpers;	 /* where sysctr-monitor is */
	char *templates; /* *.yaml */
};

struct profile_record;
struct pool_record;

struct core {
	struct aio_loop *loop;
	struct db *db;
	const struct daemon_config *config;
	struct core_dirs dirs;
	struct events events;
	struct ops ops;
	struct list jobs;	/* core/job.c */
	struct list file_calls; /* core/files.c */
	struct list lives;	/* core/live.c */
	struct netman *net;
	struct scheduler *scheduler;
	struct side_files *side_files;
	struct db_copies *db_copies;
	struct image_refresher *refresher;
	struct hotplug *hotplug;
	struct preparation *preparation; /* core/pool.h: of the pools, as long as it lasts */
	const char *sys_dir;		 /* for tests: instead of /sys; NULL: that */
	const char *proc_dir;		 /* the same of /proc, where devices are looked for */
	bool full_quotas;		 /* for tests: struct pool_request */
	struct strmap instances; /* name -> struct inst, placeholders of running creates included */
	struct strmap profiles;	 /* name -> struct profile_record */
	struct strmap images;	 /* fingerprint -> struct image_record */
	struct strmap pools;	 /* name -> struct pool_record */
	struct strmap volumes;	 /* "pool/name" -> struct volume, core/volume.h */
	struct strmap image_volumes; /* "pool/fingerprint": unpacked there */
	struct strmap pulled;	/* core/image_pull.c: what a server was asked for -> fingerprint */
	struct strmap warnings; /* "type/entity" -> struct warning_record */
	struct strmap server_config;
	struct buf seccomp; /* the filter of containers, compiled once */
	uint64_t host_memory_bytes;
	int lock_fd;
	bool ready;	    /* reconcile is over */
	bool shutting_down; /* no new operations */
};

/*
 * Take what the daemon is made of; open the database, load every object, find running containers.
 *
 * @dirs: taken. A missing pool, network or broken image is a warning, not an error.
 */
int core_open(struct aio_loop *loop, const struct daemon_config *config, struct core_dirs *dirs,
	      struct core **ret_core, struct err *err);

/* The daemon ends: let go of all monitors, so that whoever waits for one gets an answer now. */
void core_quiesce(struct core *core);

/* Forget everything; containers, bridges and dnsmasq go on. */
void core_close(struct core *core);

/* End of @op: give back the instance that it holds. */
void core_release(struct op *op);

/* Errors: ERR_UNAVAILABLE while starting or shutting down. */
int core_check_open(const struct core *core, struct err *err);

/*
 * core/inst.h - an instance at run time: its row, what it expands to, its monitor
 *
 * Layer: core. Process: sysctrd.
 *
 *   STOPPED -> STARTING -> RUNNING <-> FROZEN -> STOPPING -> STOPPED
 *                  \__________\____________________/ the monitor says so, or its connection ends
 *
 *   I1  state is what the monitor said last; without a connection it is STOPPED.
 *   I2  record is what the database holds; expanded is made from it and the profiles.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aio/timer.h"
#include "base/err.h"
#include "base/list.h"
#include "base/strmap.h"
#include "core/backup.h"
#include "core/scheduled.h"
#include "spec/expand.h"
#include "spec/instance.h"
#include "spec/msg.h"
#include "spec/snapshot.h"

struct core;
struct monitor_conn;
struct op;
struct profile_record;

enum inst_state {
	INST_STOPPED,
	INST_STARTING,
	INST_RUNNING,
	INST_FROZEN,
	INST_STOPPING,
	INST_ERROR,
	INST_STATE_MAX
};
/* The API's words and numbers. */
const char *inst_state_name(enum inst_state state);
int inst_state_code(enum inst_state state);

enum {
	INST_RESTARTS = 10, /* of boot.autorestart, within INST_RESTARTS_S */
	INST_RESTARTS_S = 60
};

struct inst {
	struct core *core;
	struct inst_record *record;
	struct expanded expanded; /* of profiles and record */
	enum inst_state state;
	bool stored;		   /* in the database; false while it is being created */
	struct monitor_conn *conn; /* NULL: no monitor */
	bool adopted;		   /* found running; to be told what the database says */
	bool releasing;		   /* init is dead, the monitor still takes mounts down */
	struct op *op;		   /* who holds it; NULL: nobody */
	struct list readers;	   /* ops that read its snapshots: inst_step_read_on() */
	bool (*op_reached)(struct inst *inst, struct op *op); /* what op waits for; inst_await() */
	int32_t pid;
	bool ready;		/* its init said READY=1 */
	bool starts;		/* a start has asked for what it needs of the network */
	bool stopped_meanwhile; /* it ran and stopped while op held it */
	int64_t started_wall_ns;
	uint64_t generation;
	struct list sessions;	      /* core/exec_session.c */
	struct aio_timer files_timer; /* core/files.c: how long an op waits for idle files */
	struct msg addresses;	      /* .nics of the last MSG_ADDRESSES */
	char *cpus;		      /* what limits.cpu=N came down to; core/cpus.h */
	uint32_t cpus_count;
	bool crashed; /* how it stopped last: by itself, and not as its init should */
	uint64_t restarted_ns[INST_RESTARTS]; /* boot.autorestart: when, as a ring */
	size_t n_restarts;
	char *last_error;	    /* why it is not running, for info; NULL: nothing to say */
	struct snap_list snapshots; /* core/snapshot.c */
	struct backups backups;
	bool holds_still;		/* frozen for a snapshot: nobody is told */
	struct schedule_state schedule; /* core/scheduler.c */
};

/* Make *@instances an empty map that owns its instances. */
void inst_map_init(struct strmap *instances);

/* Make an instance that owns @record and put it into core->instances. */
struct inst *inst_add(struct core *core, struct inst_record *record);
void inst_remove(struct inst *inst); /* frees it */

/* Errors: ERR_NOT_FOUND "Instance not found" with a hint. Placeholders are not found. */
int inst_find(struct core *core, const char *name, struct inst **ret_inst, struct err *err);

/* Errors: ERR_CONFLICT that names the operation that has it and its step. */
int inst_check_free(const struct inst *inst, struct err *err);

/*
 * For what takes snapshots away, the images below them or their instance.
 * Errors: of inst_check_free(); ERR_CONFLICT that names the operation that reads them.
 */
int inst_check_unread(const struct inst *inst, struct err *err);

/* Give the instance to @op until the op ends. Errors: of inst_check_free(). */
int inst_claim(struct inst *inst, struct op *op, struct err *err);

/* The same for what takes snapshots away. Errors: of inst_check_unread(). */
int inst_claim_unread(struct inst *inst, struct op *op, struct err *err);

/*
 * A step: from now on @op only reads snapshots of the instance, or what it copied, which stay until
 * the op ends; otherwise the instance is free again.
 */
enum op_next inst_step_read_on(struct op *op);

/* Give it back when @op has it: what it did meanwhile counts now. */
void inst_release(struct inst *inst, struct op *op);

/* Recompute expanded; a profile that is missing counts as empty. */
void inst_expand(struct inst *inst);

/* What @record would be; @edited as in inst_check_record(). Free with expanded_done(). */
void inst_expand_with(struct core *core, const struct inst_record *record,
		      const struct profile_record *edited, struct expanded *ret_expanded);

/* Where each key of inst->expanded is from: a profile, or EXPAND_ORIGIN_LOCAL. The same to free. */
void inst_origins(const struct inst *inst, struct expanded *ret_origins);

/*
 * Check what @record would be with the profiles of @core, as a whole; for edits before commit.
 * @edited: counts instead of the profile of its name (NULL: none).
 */
int inst_check_record(struct core *core, const struct inst_record *record,
		      const struct profile_record *edited, struct err *err);

/* The monitor said so: sets state, publishes lifecycle events, forgets addresses when stopped. */
void inst_set_state(struct inst *inst, enum inst_state state);
bool inst_is_running(const struct inst *inst); /* RUNNING or FROZEN */

/* limits, devices and so on resolved for the monitor; free with wire_free(&inst_spec_schema). */
int inst_make_spec(struct inst *inst, struct inst_spec *ret_spec, struct err *err);

/* Send the spec as it is now to the running container, which may have it already. */
void inst_push_spec(struct inst *inst);

/* Of the nic @device, called @name: the host's end, owned by the caller; the MAC address, or NULL. */
char *inst_nic_host_name(const struct inst *inst, const char *name, const struct strmap *device);
const char *inst_nic_hwaddr(const struct inst *inst, const char *name, const struct strmap *device);

char *inst_runtime_dir(const struct inst *inst); /* owned by the caller */
char *inst_log_dir(const struct inst *inst);
char *inst_cgroup(const struct core *core, const char *name); /* "sysctr/web1" */

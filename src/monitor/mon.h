/*
 * monitor/mon.h - the monitor's whole memory: one container, its parts, its state
 *
 * Layer: monitor. Process: sysctr-monitor, single-threaded.
 *
 *   M1  What init's life needs is allocated before init runs; requests afterwards are bounded by
 *       MSG_BYTES_MAX and served from a heap reserve made at the start (style M4).
 *   M2  Everything of one life (init, console, nics) is closed by mon_end_life(); the root mount
 *       outlives it, because a reboot keeps the mount.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "monitor/address.h"
#include "monitor/console.h"
#include "monitor/ctl.h"
#include "monitor/device_proxy.h"
#include "monitor/devices.h"
#include "monitor/initkind.h"
#include "monitor/intercept.h"
#include "monitor/loop.h"
#include "monitor/notify.h"
#include "monitor/procview.h"
#include "monitor/session.h"
#include "monitor/title.h"
#include "os/cgroup.h"
#include "spec/instance.h"
#include "spec/msg.h"

/* From clone to the death of init. All descriptors -EBADF between two. */
struct life {
	pid_t init_pid;
	int init_pidfd;
	int userns_fd;
	int netns_fd;
	int mntns_fd; /* these three as they were before init ran: a guest may lead its init elsewhere */
	int sync_fd;
	int notify_fd; /* unbound until the child binds it */
	uint64_t started_mono_ns;
	uint64_t started_wall_ns;
	bool root_ready;     /* the child said PIVOTED */
	bool exec_announced; /* the child said EXEC */
	enum initkind initkind;
};

struct mon {
	char *name; /* as in spec, but there while one spec is exchanged for the next */
	struct inst_spec spec;
	struct inst_spec next_spec; /* used by a reboot */
	bool has_next;
	struct title title;
	struct cgroup_host host;
	struct cgroup cgroup;
	struct life life;
	struct loop loop;

	int runtime_fd; /* <runtime_dir>; locked: the name is ours */
	int lock_fd;
	int root_fd;	   /* the root mount, on runtime_dir in our namespace; -EBADF: none */
	int volume_fd;	   /* root_path, locked while in use */
	int lower_fd;	   /* root_lower, the same; shared with others */
	int host_mntns_fd; /* where we were started: sources of disks are looked up there */
	int log_fd;	   /* monitor.log */
	int own_cgroup_fd; /* <tag>/.monitor/<name> */
	char own_cgroup[CGROUP_PATH_LEN];
	int exec_program_fd; /* session_open_program() */
	int seccomp_fd;
	int environment_fd;

	enum mon_state state;
	bool ready;	      /* READY=1 was seen in this life */
	bool stop_asked;      /* MSG_STOP in this life */
	bool kill_asked;      /* MSG_KILL in this life */
	bool was_started;     /* some life got to exec */
	bool thaw_when_alone; /* MSG_FREEZE with force: until the last connection ends */
	bool waits_for_thaw;  /* the life after a reboot, while thaw_when_alone */
	enum mon_exit exit_kind;
	struct err exit_err; /* MON_EXIT_FAILED and _REBOOT: phase and reason */
	bool finished;	     /* the loop ends */

	struct source signal_source;
	int signal_fd;
	struct source timer_source; /* delayed restart; killed, and does not end */
	int timer_fd;

	struct ctl ctl;
	struct console console;
	struct addresses addresses;
	struct plugged_list plugged;
	struct limited_list limited; /* devices whose input and output is limited now */
	struct proxy_list proxies;
	struct procview procview;
	struct intercepts intercepts;
	struct notify notify;
	struct sessions sessions;
	struct source sessions_source;
};

/* All descriptors unset; then, in the process that stays, what life needs (M1). */
void mon_init(struct mon *mon);
int mon_open(struct mon *mon, struct err *err);

/* The keys of every log line of ours. @step: phase or NULL. */
struct log_keys mon_keys(const struct mon *mon, const char *step);

/* Enter @state: trace, status file, MSG_STATE to everybody. The only writer of mon->state. */
void mon_set_state(struct mon *mon, enum mon_state state);

/* What MSG_STATE says; texts are borrowed. */
void mon_fill_state(const struct mon *mon, struct msg *msg);

/* What sessions join. */
void mon_fill_session_env(const struct mon *mon, struct session_env *env);

/* Close what belongs to a life that is over. */
void mon_end_life(struct mon *mon);

/* Host ids of the container's root. */
void mon_root_ids(const struct mon *mon, uid_t ret_ids[2]);

/* Host ids of a user and a group inside, both below id_count. */
void mon_host_ids(const struct mon *mon, uid_t uid, gid_t gid, uid_t ret_ids[2]);

/* monitor/mon.c - see mon.h */
#include "monitor/mon.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "monitor/request.h"
#include "monitor/status.h"
#include "os/caps.h"
#include "os/fd.h"

enum {
	HEAP_RESERVE_BYTES = 512 * 1024
};

struct log_keys mon_keys(const struct mon *mon, const char *step)
{
	return (struct log_keys){ .inst = mon->name, .step = step };
}

static void on_changed(void *data)
{
	struct mon *mon = data;

	ctl_announce(&mon->ctl, MSG_ADDRESSES);
}

static void on_ready(void *data)
{
	struct mon *mon = data;

	mon->ready = true;
	ctl_announce(&mon->ctl, MSG_READY);
}

static void on_sessions(struct source *source, uint32_t events)
{
	struct mon *mon = container_of(source, struct mon, sessions_source);

	(void)events; /* readable is all it can be */
	sessions_dispatch(&mon->sessions);
}

static void life_init(struct life *life)
{
	*life = (struct life){
		.init_pidfd = -EBADF,
		.userns_fd = -EBADF,
		.netns_fd = -EBADF,
		.mntns_fd = -EBADF,
		.sync_fd = -EBADF,
		.notify_fd = -EBADF,
	};
}

/*
 * Address space that later requests are served from is committed now and never given back (M1);
 * pages are only used once they are touched.
 */
static void reserve_heap(void)
{
	void *reserve;

	(void)mallopt(M_MMAP_THRESHOLD, 2 * HEAP_RESERVE_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, 4 * HEAP_RESERVE_BYTES);
	reserve = xmalloc(HEAP_RESERVE_BYTES);
	/* Else the compiler drops the pair. */
	__asm__ volatile("" : : "g"(reserve) : "memory");
	free(reserve);
}

void mon_init(struct mon *mon)
{
	mon->runtime_fd = mon->lock_fd = mon->root_fd = mon->volume_fd = mon->log_fd = -EBADF;
	mon->lower_fd = mon->host_mntns_fd = -EBADF;
	mon->own_cgroup_fd = mon->exec_program_fd = mon->seccomp_fd = -EBADF;
	mon->environment_fd = mon->signal_fd = mon->timer_fd = -EBADF;
	mon->console.log.fd = mon->console.log.dir_fd = -EBADF;
	cgroup_init(&mon->cgroup);
	life_init(&mon->life);
	source_init(&mon->signal_source);
	source_init(&mon->timer_source);
	procview_init(&mon->procview);
	intercept_init(&mon->intercepts);
	source_init(&mon->sessions_source);
	list_init(&mon->sessions.list);
}

static int open_sessions(struct mon *mon)
{
	const struct sessions_callbacks callbacks = {
		.started = request_session_started,
		.exited = request_session_exited,
		.listener = request_session_listener,
		.data = mon,
	};
	int r = sessions_init(&mon->sessions, &callbacks);

	if (r < 0)
		return r;
	return loop_add(&mon->loop, &mon->sessions_source, sessions_fd(&mon->sessions), EPOLLIN,
			on_sessions);
}

int mon_open(struct mon *mon, struct err *err)
{
	int r;

	reserve_heap();
	r = loop_init(&mon->loop);
	if (r == 0)
		r = ctl_init(&mon->ctl, &mon->loop);
	if (r == 0)
		r = console_init(&mon->console, &mon->loop);
	if (r == 0)
		r = addresses_init(&mon->addresses, &mon->loop, on_changed, mon);
	if (r == 0)
		r = open_sessions(mon);
	if (r < 0)
		return err_set(err, r, "prepare the loop");
	mon->ctl.request = request_handle;
	mon->ctl.event = request_make_event;
	mon->ctl.alone = request_alone;
	mon->ctl.data = mon;
	notify_init(&mon->notify, &mon->loop, on_ready, mon);
	mon->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (mon->timer_fd < 0)
		return err_set(err, -errno, "make a timer");
	r = caps_set_nondumpable();
	if (r == 0)
		r = caps_keep_over_setuid(true); /* setup_root.c changes the file system ids */
	return r < 0 ? err_set(err, r, "protect ourselves") : 0;
}

void mon_end_life(struct mon *mon)
{
	struct life *life = &mon->life;

	procview_stop(mon);
	devices_forget(mon); /* while its namespaces are there */
	loop_remove(&mon->loop, &mon->timer_source);
	notify_stop(&mon->notify);
	addresses_stop(&mon->addresses);
	loop_remove(&mon->loop, &mon->sessions_source);
	sessions_done(&mon->sessions);
	intercept_stop(mon);
	if (open_sessions(mon) < 0) /* the next life has no exec */
		mon->exec_program_fd = fd_close(mon->exec_program_fd);
	console_drop_master(&mon->console);
	(void)fd_close(life->init_pidfd);
	(void)fd_close(life->userns_fd);
	(void)fd_close(life->netns_fd);
	(void)fd_close(life->mntns_fd);
	(void)fd_close(life->sync_fd);
	(void)fd_close(life->notify_fd);
	life_init(life);
	mon->ready = mon->stop_asked = mon->kill_asked = false;
}

void mon_fill_state(const struct mon *mon, struct msg *msg)
{
	msg->state = mon->state;
	msg->pid = mon->life.init_pid;
	msg->generation = mon->spec.generation;
	msg->started_wall_ns = mon->life.started_wall_ns;
	msg->ready = mon->ready;
	if (mon->state != MON_STOPPED && mon->state != MON_RELEASED)
		return;
	msg->number = (int32_t)mon->exit_kind;
	msg->code = mon->exit_err.code;
	msg->kind = mon->exit_err.kind;
	if (mon->exit_err.code < 0)
		msg->text = (char *)mon->exit_err.msg;
}

void mon_set_state(struct mon *mon, enum mon_state state)
{
	struct log_keys keys = mon_keys(mon, NULL);
	struct status status = {
		.name = mon->name,
		.state = state,
		.pid = mon->life.init_pid,
		.monitor_pid = getpid(),
		.generation = mon->spec.generation,
		.started_wall_ns = mon->life.started_wall_ns,
	};

	log_debug(keys, "state %s -> %s", mon_state_name(mon->state), mon_state_name(state));
	mon->state = state;
	/* For people and scripts; a full /run must not stop the container. */
	if (mon->runtime_fd >= 0 && state != MON_RELEASED)
		(void)status_write(mon->runtime_fd, &status);
	ctl_announce(&mon->ctl, MSG_STATE);
}

void mon_root_ids(const struct mon *mon, uid_t ret_ids[2])
{
	mon_host_ids(mon, 0, 0, ret_ids);
}

void mon_host_ids(const struct mon *mon, uid_t uid, gid_t gid, uid_t ret_ids[2])
{
	const struct inst_spec *spec = &mon->spec;
	struct idrange own = { spec->id_base, spec->id_count };

	ret_ids[0] = spec->privileged ? uid : idmap_to_host(&spec->idmaps, IDMAP_UID, &own, uid);
	ret_ids[1] = spec->privileged ? gid : idmap_to_host(&spec->idmaps, IDMAP_GID, &own, gid);
}

void mon_fill_session_env(const struct mon *mon, struct session_env *env)
{
	*env = (struct session_env){
		.init_pidfd = mon->life.init_pidfd,
		.cgroup = &mon->cgroup,
		.program_fd = mon->exec_program_fd,
		.seccomp_fd = mon->seccomp_fd,
		.environment_fd = mon->environment_fd,
		.cap_bounding = ~caps_dropped_mask(),
		.joins_userns = !mon->spec.privileged,
		.oom_score_adj = mon->spec.oom_score_adj,
		.rlimits = &mon->spec.rlimits,
		.intercepts = intercept_wanted(mon),
	};
	mon_root_ids(mon, env->root_id);
}

/* monitor/supervise.c - see supervise.h */
#include "monitor/supervise.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "monitor/mon.h"
#include "monitor/release.h"
#include "monitor/setup.h"
#include "monitor/start.h"
#include "os/fusectl.h"
#include "os/pidfd.h"

enum {
	FREEZE_TIMEOUT_MS = 1000,
	KILL_PAUSE_MS = 1000,  /* most processes take a hundredth of that */
	RESTART_PAUSE_MS = 500 /* after a life of less than a second */
};

/* clang-format off */
#define TO(action, next) { SUP_##action, MON_##next }
static const struct sup_move moves[MON_STATE_MAX][SUP_EVENT_MAX] = {
	[MON_STARTING] = {
		[SUP_STARTED]      = TO(ENTER,   RUNNING),
		[SUP_FAILED]       = TO(RELEASE, STOPPED),
		[SUP_KILL_ASKED]   = TO(KILL,    STARTING),
		[SUP_DIED]         = TO(RELEASE, STOPPED),
	},
	[MON_RUNNING] = {
		[SUP_STOP_ASKED]   = TO(HALT,    STOPPING),
		[SUP_KILL_ASKED]   = TO(KILL,    STOPPING),
		[SUP_FREEZE_ASKED] = TO(FREEZE,  FROZEN),
		[SUP_THAW_ASKED]   = TO(NOTHING, RUNNING),
		[SUP_DIED]         = TO(RELEASE, STOPPED),
		[SUP_REBOOTED]     = TO(RESTART, REBOOTING),
	},
	[MON_FROZEN] = {
		[SUP_STOP_ASKED]   = TO(HALT,    STOPPING),
		[SUP_KILL_ASKED]   = TO(KILL,    STOPPING),
		[SUP_FREEZE_ASKED] = TO(NOTHING, FROZEN),
		[SUP_THAW_ASKED]   = TO(THAW,    RUNNING),
		[SUP_DIED]         = TO(RELEASE, STOPPED),
		[SUP_REBOOTED]     = TO(RESTART, REBOOTING),
	},
	[MON_STOPPING] = {
		[SUP_STOP_ASKED]   = TO(HALT,    STOPPING),
		[SUP_KILL_ASKED]   = TO(KILL,    STOPPING),
		[SUP_THAW_ASKED]   = TO(THAW,    STOPPING),
		[SUP_DIED]         = TO(RELEASE, STOPPED),
		[SUP_REBOOTED]     = TO(RESTART, REBOOTING),
	},
	[MON_REBOOTING] = {
		[SUP_STARTED]      = TO(ENTER,   RUNNING),
		[SUP_FAILED]       = TO(RELEASE, STOPPED),
		[SUP_STOP_ASKED]   = TO(RELEASE, STOPPED),
		[SUP_KILL_ASKED]   = TO(RELEASE, STOPPED),
		[SUP_THAW_ASKED]   = TO(RESUME,  REBOOTING),
		[SUP_DIED]         = TO(RELEASE, STOPPED),
	},
	[MON_STOPPED] = {
		[SUP_STOP_ASKED]   = TO(NOTHING, STOPPED),
		[SUP_KILL_ASKED]   = TO(NOTHING, STOPPED),
		[SUP_RELEASED]     = TO(EXIT,    RELEASED),
	},
	[MON_RELEASED] = {
		[SUP_STOP_ASKED]   = TO(NOTHING, RELEASED),
		[SUP_KILL_ASKED]   = TO(NOTHING, RELEASED),
	},
};
/* clang-format on */

static const char *const event_names[] = {
	[SUP_STARTED] = "started", [SUP_FAILED] = "failed",	  [SUP_STOP_ASKED] = "stop",
	[SUP_KILL_ASKED] = "kill", [SUP_FREEZE_ASKED] = "freeze", [SUP_THAW_ASKED] = "thaw",
	[SUP_DIED] = "died",	   [SUP_REBOOTED] = "rebooted",	  [SUP_RELEASED] = "released",
};
static_assert(ARRAY_LEN(event_names) == SUP_EVENT_MAX, "one name per event");

static const char *const action_names[] = {
	[SUP_REFUSE] = "refuse",   [SUP_NOTHING] = "nothing", [SUP_ENTER] = "enter",
	[SUP_HALT] = "halt",	   [SUP_KILL] = "kill",	      [SUP_FREEZE] = "freeze",
	[SUP_THAW] = "thaw",	   [SUP_RESTART] = "restart", [SUP_RESUME] = "resume",
	[SUP_RELEASE] = "release", [SUP_EXIT] = "exit",
};
static_assert(ARRAY_LEN(action_names) == SUP_ACTION_MAX, "one name per action");

const char *sup_event_name(enum sup_event event)
{
	return event_names[event];
}

const char *sup_action_name(enum sup_action action)
{
	return action_names[action];
}

struct sup_move supervise_move(enum mon_state state, enum sup_event event)
{
	struct sup_move move = moves[state][event];

	if (move.action == SUP_REFUSE)
		move.next = state;
	return move;
}

static int act_halt(struct mon *mon, int signal, struct err *err)
{
	const struct initkind_row *row = initkind_row(mon->life.initkind);
	struct log_keys keys = mon_keys(mon, "stop");
	bool explicit = signal != 0;
	int r;

	if (signal == 0)
		signal = (int)mon->spec.init.halt_signal;
	if (signal == 0)
		signal = row->halt_signal;
	/* An explicit signal may mean anything: a reboot that follows it is one. */
	mon->stop_asked = mon->stop_asked || !explicit;
	r = pidfd_signal(mon->life.init_pidfd, signal);
	if (r < 0)
		return err_set(err, r, "send signal %d to %s", signal, row->name);
	log_info(keys, "halt signal sent signal=%d init=%s", signal, row->name);
	/* A frozen init cannot obey. */
	if (mon->state == MON_FROZEN)
		return cgroup_freeze(&mon->cgroup, false, FREEZE_TIMEOUT_MS, err);
	return 0;
}

/*
 * It was killed a while ago. What serves a file system in user space to itself, and waits for that,
 * does not hear a signal: the kernel lets go of it when the file system is aborted. A privileged
 * container's cannot be told from the host's.
 */
static void on_kill_timer(struct source *source, uint32_t events)
{
	struct mon *mon = container_of(source, struct mon, timer_source);
	struct log_keys keys = mon_keys(mon, "stop");
	int n;

	(void)events; /* readable is all it can be */
	loop_remove(&mon->loop, source);
	if (mon->spec.privileged)
		return;
	n = fusectl_abort_of(mon->spec.id_base, mon->spec.id_count);
	if (n > 0)
		log_warn(keys, "aborted FUSE file systems that killed processes wait for n=%d", n);
}

static bool start_timer(struct mon *mon, int64_t ms, source_fn *run)
{
	const struct itimerspec when = { .it_value = { .tv_sec = ms / 1000,
						       .tv_nsec = ms % 1000 * NS_PER_MS } };

	return timerfd_settime(mon->timer_fd, 0, &when, NULL) == 0 &&
	       loop_add(&mon->loop, &mon->timer_source, mon->timer_fd, EPOLLIN, run) == 0;
}

static int act_kill(struct mon *mon, struct err *err)
{
	if (!mon->kill_asked)
		(void)start_timer(mon, KILL_PAUSE_MS, on_kill_timer);
	mon->kill_asked = true;
	return cgroup_kill(&mon->cgroup, err);
}

/* What was written below the overlay is not to be seen by one that was there before. */
static bool same_root(const struct inst_spec *a, const struct inst_spec *b)
{
	return a->privileged == b->privileged && a->nesting == b->nesting &&
	       a->id_base == b->id_base && a->id_count == b->id_count &&
	       idmaps_equal(&a->idmaps, &b->idmaps) && a->root_kind == b->root_kind &&
	       streq(a->root_path, b->root_path) && streq(a->root_lower, b->root_lower);
}

/* The spec of the new life is the one that was pushed last. Returns: 0 or -errno. */
static int take_next_spec(struct mon *mon, struct err *err)
{
	if (!mon->has_next)
		return 0;
	if (!same_root(&mon->spec, &mon->next_spec))
		release_root(mon);
	wire_free(&inst_spec_schema, &mon->spec);
	mon->spec = mon->next_spec;
	mon->next_spec = (struct inst_spec){ 0 };
	mon->has_next = false;
	return setup_filter(mon, &mon->spec,
			    err); /* the environment is there since it was pushed */
}

static void begin_life(struct mon *mon)
{
	struct log_keys keys = mon_keys(mon, "start");
	struct err err = { 0 };
	int r = take_next_spec(mon, &err);

	if (r == 0)
		r = start_life(mon, &err);
	if (r == 0) {
		log_info(keys, "started pid=%d init=%s", mon->life.init_pid,
			 initkind_row(mon->life.initkind)->name);
		(void)supervise_event(mon, SUP_STARTED, 0, NULL);
		procview_start(mon); /* whoever waits for the start has been told */
		return;
	}
	log_error(keys, "%s", err_text(&err, r));
	mon->exit_kind = mon->was_started ? MON_EXIT_REBOOT : MON_EXIT_FAILED;
	mon->exit_err = err;
	(void)supervise_event(mon, SUP_FAILED, 0, NULL);
}

static void on_timer(struct source *source, uint32_t events)
{
	struct mon *mon = container_of(source, struct mon, timer_source);

	(void)events; /* readable is all it can be */
	loop_remove(&mon->loop, source);
	if (mon->state == MON_REBOOTING)
		begin_life(mon);
}

/* A guest that reboots as soon as it runs must not keep the host busy. */
static void act_restart(struct mon *mon)
{
	uint64_t age_ns = time_mono_ns() - mon->life.started_mono_ns;

	mon_end_life(mon);
	mon->waits_for_thaw = mon->thaw_when_alone;
	if (mon->waits_for_thaw)
		return; /* it is being copied, as of one moment */
	if (age_ns < NS_PER_S && start_timer(mon, RESTART_PAUSE_MS, on_timer))
		return;
	begin_life(mon);
}

/* All or none: a process that waits for a disk does not freeze, and the others must not stay so. */
static int act_freeze(struct mon *mon, struct err *err)
{
	int r = cgroup_freeze(&mon->cgroup, true, FREEZE_TIMEOUT_MS, err);

	if (r == -ETIMEDOUT)
		r = err_set(err, r, "a process cannot be frozen now: it waits for a disk");
	if (r < 0)
		(void)cgroup_freeze(&mon->cgroup, false, FREEZE_TIMEOUT_MS, NULL);
	return r;
}

static void act_resume(struct mon *mon)
{
	if (!mon->waits_for_thaw)
		return;
	mon->waits_for_thaw = false;
	begin_life(mon);
}

static int run_action(struct mon *mon, enum sup_action action, int signal, struct err *err)
{
	switch (action) {
	case SUP_HALT:
		return act_halt(mon, signal, err);
	case SUP_KILL:
		return act_kill(mon, err);
	case SUP_FREEZE:
		return act_freeze(mon, err);
	case SUP_THAW:
	case SUP_RESUME:
		return cgroup_freeze(&mon->cgroup, false, FREEZE_TIMEOUT_MS, err);
	case SUP_RELEASE:
		release_life(mon);
		return 0;
	case SUP_NOTHING:
	case SUP_REFUSE:
	case SUP_ENTER:
	case SUP_RESTART:
	case SUP_EXIT:
	case SUP_ACTION_MAX:
		break;
	}
	return 0;
}

int supervise_event(struct mon *mon, enum sup_event event, int signal, struct err *err)
{
	struct sup_move move = supervise_move(mon->state, event);
	struct log_keys keys = mon_keys(mon, NULL);
	int r;

	log_trace(keys, "event=%s state=%s action=%s", event_names[event],
		  mon_state_name(mon->state), action_names[move.action]);
	if (move.action == SUP_REFUSE)
		return err_kind(err, ERR_CONFLICT, "instance \"%s\" is %s", mon->name,
				mon_state_name(mon->state));
	/* Between two lives there is nothing to ask: the stop is done here. */
	if (event == SUP_STOP_ASKED && move.action == SUP_RELEASE)
		mon->exit_kind = MON_EXIT_POWEROFF;
	if (event == SUP_KILL_ASKED && move.action == SUP_RELEASE)
		mon->exit_kind = MON_EXIT_KILLED;
	r = run_action(mon, move.action, signal, err);
	if (r < 0)
		return r;
	if (move.next != mon->state)
		mon_set_state(mon, move.next);
	/* What follows the announcement of the new state. */
	if (move.action == SUP_RESTART)
		act_restart(mon);
	if (move.action == SUP_RESUME)
		act_resume(mon);
	if (move.action == SUP_RELEASE) {
		release_all(mon);
		return supervise_event(mon, SUP_RELEASED, 0, err);
	}
	if (move.action == SUP_EXIT)
		mon->finished = true;
	return 0;
}

/* Why init ended, from its wait status. */
static enum sup_event judge_death(struct mon *mon, int status)
{
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	/* reboot(2) with a restart command in its pid namespace; who asked us to stop it wins */
	if (signal == SIGHUP && !mon->stop_asked && !mon->kill_asked)
		return SUP_REBOOTED;
	if (signal == SIGHUP || signal == SIGINT ||
	    (mon->stop_asked && signal == 0)) /* halt and power-off */
		mon->exit_kind = MON_EXIT_POWEROFF;
	else
		mon->exit_kind = mon->kill_asked ? MON_EXIT_KILLED : MON_EXIT_CRASHED;
	return SUP_DIED;
}

/* Sessions first: init's end waits in the kernel for them to be reaped. */
static void reap_children(struct mon *mon)
{
	struct log_keys keys = mon_keys(mon, NULL);
	int status, init_status = 0;
	bool init_died = false;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		if (pid == mon->life.init_pid) {
			init_died = true;
			init_status = status;
		} else if (!proxies_reaped(mon, pid, status) && !procview_reaped(mon, pid) &&
			   !intercept_reaped(mon, pid)) {
			(void)sessions_reaped(&mon->sessions, pid, status);
		}
	}
	if (!init_died)
		return;
	log_info(keys, "init ended status=0x%x", (unsigned int)init_status);
	mon->life.init_pid = 0;
	(void)supervise_event(mon, judge_death(mon, init_status), 0, NULL);
}

static void on_signal(struct source *source, uint32_t events)
{
	struct mon *mon = container_of(source, struct mon, signal_source);
	struct signalfd_siginfo info;

	(void)events; /* readable is all it can be */
	while (!mon->finished && read(mon->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap_children(mon);
		/* Whoever ends the machine's processes means us to end well. */
		if (info.ssi_signo == SIGTERM)
			(void)supervise_event(mon, SUP_STOP_ASKED, 0, NULL);
	}
}

static int watch_signals(struct mon *mon, struct err *err)
{
	static const int signals[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT };
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaddset(&mask, signals[i]);
	if (sigprocmask(SIG_SETMASK, &mask, NULL) < 0)
		return err_set(err, -errno, "block signals");
	mon->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (mon->signal_fd < 0)
		return err_set(err, -errno, "watch signals");
	r = loop_add(&mon->loop, &mon->signal_source, mon->signal_fd, EPOLLIN, on_signal);
	return r < 0 ? err_set(err, r, "watch signals") : 0;
}

int supervise_run(struct mon *mon)
{
	struct err err = { 0 };
	int r = start_prepare(mon, &err);

	if (r == 0)
		r = watch_signals(mon, &err);
	if (r == 0) {
		begin_life(mon);
	} else {
		struct log_keys keys = mon_keys(mon, "start");

		log_error(keys, "%s", err_text(&err, r));
		mon->exit_err = err;
		(void)supervise_event(mon, SUP_FAILED, 0, NULL);
	}
	while (!mon->finished && r >= 0)
		r = loop_run_once(&mon->loop);
	return mon->was_started ? EXIT_SUCCESS : EXIT_FAILURE;
}

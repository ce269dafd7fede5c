/* monitor/session.c - see session.h */
#include "monitor/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "os/fd.h"
#include "os/helper.h"
#include "os/program.h"
#include "os/pty.h"
#include "os/report.h"
#include "os/sock.h"
#include "spec/exec.h"
#include "spec/link.h"
#include "spec/rlimit.h"

enum session_state {
	SESSION_STARTING,
	SESSION_RUNNING,
	SESSION_EXITED,
	SESSION_GONE, /* nobody can ask for it any more; it waits for pids and its leaf */
	SESSION_STATE_MAX
};

enum {
	LEAF_NAME_LEN = 48,
	LEAF_TRIES = 4, /* names that a container may have taken before us */
	DISPATCH_MAX = 16,
	SIGNAL_MAX = 64,
};

struct session {
	struct list node;
	uint64_t id;
	uint64_t cookie;
	enum session_state state;
	pid_t helper_pid; /* 0 once reaped */
	pid_t pid;	  /* of the command; 0 until it said hello, and once reaped */
	bool has_status;
	int wait_status;
	int report_fd;
	int master_fd;
	int link_fd; /* our end, watched while RUNNING; -EBADF: the client has none */
	bool wants_link;
	int leaf_fd; /* -EBADF: the command runs in payload itself */
	int leaf_events_fd;
	int payload_fd; /* where the leaf is removed from */
	struct keep keep;
	char leaf_name[LEAF_NAME_LEN];
	uint64_t deadline_ns; /* STARTING: it gives up; EXITED: it is forgotten */
	bool failed;
	int exit_status;
	struct err err; /* when failed */
};

/*
 * Close a watched descriptor. A helper that is just being executed may still have a copy, and then
 * closing alone would leave epoll with a pointer to a session that is gone. Returns: -EBADF.
 */
static int unwatch(const struct sessions *sessions, int fd)
{
	if (fd >= 0)
		(void)epoll_ctl(sessions->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	return fd_close(fd);
}

static void session_free(const struct sessions *sessions, struct session *session)
{
	list_remove(&session->node);
	(void)unwatch(sessions, session->report_fd);
	(void)unwatch(sessions, session->leaf_events_fd);
	(void)unwatch(sessions, session->link_fd);
	(void)fd_close(session->master_fd);
	(void)fd_close(session->leaf_fd);
	(void)fd_close(session->payload_fd);
	keep_done(&session->keep);
	free(session);
}

static struct session *session_new(uint64_t id, uint64_t cookie)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	list_init(&session->node);
	session->id = id;
	session->cookie = cookie;
	session->report_fd = session->master_fd = session->leaf_fd = -EBADF;
	session->leaf_events_fd = session->payload_fd = session->link_fd = -EBADF;
	keep_init(&session->keep);
	return session;
}

static int watch(const struct sessions *sessions, int fd, uint32_t events, void *data)
{
	struct epoll_event event = { .events = events, .data.ptr = data };

	return epoll_ctl(sessions->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int sessions_init(struct sessions *sessions, const struct sessions_callbacks *callbacks)
{
	int r;

	*sessions = (struct sessions){ .callbacks = *callbacks };
	list_init(&sessions->list);
	keep_init(&sessions->prepared);
	sessions->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	sessions->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (sessions->epoll_fd < 0 || sessions->timer_fd < 0)
		r = -errno;
	else
		r = watch(sessions, sessions->timer_fd, EPOLLIN, NULL);
	if (r < 0)
		sessions_done(sessions);
	return r;
}

int sessions_fd(const struct sessions *sessions)
{
	return sessions->epoll_fd;
}

/* Wake up for the earliest deadline, or never. */
static void rearm(struct sessions *sessions)
{
	struct itimerspec when = { 0 };
	uint64_t earliest = UINT64_MAX;
	struct list *node;

	list_for_each(node, &sessions->list) {
		const struct session *session = list_entry(node, struct session, node);

		if (session->deadline_ns > 0)
			earliest = MIN(earliest, session->deadline_ns);
	}
	if (earliest != UINT64_MAX) {
		when.it_value.tv_sec = (time_t)(earliest / NS_PER_S);
		when.it_value.tv_nsec = (long)(earliest % NS_PER_S);
	}
	/* cannot fail with these values; without it only a deadline would be missed */
	(void)timerfd_settime(sessions->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void set_deadline(struct sessions *sessions, struct session *session, uint32_t in_ms)
{
	session->deadline_ns = in_ms ? time_mono_ns() + (uint64_t)in_ms * NS_PER_MS : 0;
	rearm(sessions);
}

/*
 * Remove the leaf, or else wait for its last process. A container may have made groups of its own
 * below it: they go with it.
 */
static void drop_leaf(struct sessions *sessions, struct session *session)
{
	if (session->leaf_fd < 0)
		return;
	/* reading arms the watch: unread, it would report the same for ever */
	if (session->leaf_events_fd >= 0 && cgroup_leaf_populated(session->leaf_events_fd) == 1)
		return;
	if (cgroup_leaf_remove(session->payload_fd, session->leaf_name) != -EBUSY)
		goto out;
	if (session->leaf_events_fd >= 0)
		return;
	session->leaf_events_fd = openat(session->leaf_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (session->leaf_events_fd < 0 ||
	    watch(sessions, session->leaf_events_fd, EPOLLPRI, session) < 0)
		goto out; /* left to the container's end */
	/* it may have become empty between the first try and the watch */
	if (cgroup_leaf_populated(session->leaf_events_fd) == 1 ||
	    cgroup_leaf_remove(session->payload_fd, session->leaf_name) == -EBUSY)
		return;
out:
	session->leaf_events_fd = unwatch(sessions, session->leaf_events_fd);
	session->leaf_fd = fd_close(session->leaf_fd);
}

/* Free a session that nothing can refer to any more. */
static void free_if_done(const struct sessions *sessions, struct session *session)
{
	if (session->state == SESSION_GONE && session->helper_pid == 0 && session->pid == 0 &&
	    session->leaf_fd < 0 && !keep_is_recording(&session->keep))
		session_free(sessions, session);
}

static void become_gone(struct sessions *sessions, struct session *session)
{
	session->state = SESSION_GONE;
	sessions->count--;
	session->report_fd = unwatch(sessions, session->report_fd);
	session->link_fd = unwatch(sessions, session->link_fd);
	session->master_fd = fd_close(session->master_fd);
	if (!session->keep.record)
		keep_done(&session->keep);
	set_deadline(sessions, session, 0);
	drop_leaf(sessions, session);
	free_if_done(sessions, session);
}

/* The last word on the link. A client that does not read it asks sysctrd. */
static void close_link(const struct sessions *sessions, struct session *session)
{
	struct link_line line = { .kind = LINK_EXIT, .a = (uint32_t)session->wait_status };

	if (session->link_fd >= 0)
		(void)send(session->link_fd, &line, sizeof(line), MSG_NOSIGNAL | MSG_DONTWAIT);
	session->link_fd = unwatch(sessions, session->link_fd);
}

static void become_exited(struct sessions *sessions, struct session *session)
{
	session->state = SESSION_EXITED;
	session->master_fd = fd_close(session->master_fd);
	close_link(sessions, session);
	keep_move(&session->keep); /* all that the command wrote is there when its end is told */
	set_deadline(sessions, session, keep_is_set(&session->keep) ? 0 : SESSION_GRACE_MS);
	drop_leaf(sessions, session);
	sessions->callbacks.exited(sessions->callbacks.data, session->id, session->wait_status);
}

static void kill_all(const struct session *session)
{
	if (session->helper_pid > 0)
		(void)kill(session->helper_pid, SIGKILL);
	if (session->pid > 0) {
		(void)kill(-session->pid, SIGKILL);
		(void)kill(session->pid, SIGKILL);
	}
	if (session->leaf_fd >= 0)
		(void)cgroup_kill_dir(session->leaf_fd);
}

/* Make the group of its own that the command starts in. */
static void make_leaf(struct session *session, const struct session_env *env)
{
	for (int i = 0; i < LEAF_TRIES && session->leaf_fd < 0; i++) {
		(void)snprintf(session->leaf_name, sizeof(session->leaf_name),
			       i ? "sysctr-session-%" PRIu64 ".%d" : "sysctr-session-%" PRIu64,
			       session->id, i);
		/* a container that used up cgroup.max.descendants gets its command in payload */
		if (cgroup_leaf_create(env->cgroup->payload_fd, session->leaf_name, env->root_id,
				       &session->leaf_fd) != -EEXIST)
			return;
	}
}

static int spawn(struct session *session, const struct session_env *env, int spec_fd,
		 const int stdio_fds[3], int sender_fd)
{
	static const char *const argv[] = { "sysctr-exec", NULL };
	_cleanup_(fd_closep) int null_fd = -EBADF;
	int fds[EXEC_FD_MAX];
	size_t n_tasks = env->cgroup->n_tasks_fds;
	pid_t pid;

	if (!stdio_fds)
		null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 3; i++)
		fds[i] = stdio_fds ? stdio_fds[i] : null_fd;
	fds[EXEC_FD_SPEC] = spec_fd;
	fds[EXEC_FD_INIT] = env->init_pidfd;
	fds[EXEC_FD_CGROUP] = session->leaf_fd >= 0 ? session->leaf_fd : env->cgroup->payload_fd;
	fds[EXEC_FD_REPORT] = sender_fd;
	fds[EXEC_FD_SECCOMP] = env->seccomp_fd;
	fds[EXEC_FD_ENVIRON] = env->environment_fd;
	for (size_t i = 0; i < n_tasks; i++)
		fds[EXEC_FD_TASKS + i] = env->cgroup->tasks_fds[i];
	pid = program_spawn(env->program_fd, argv, fds, EXEC_FD_TASKS + n_tasks);
	if (pid < 0)
		return pid;
	session->helper_pid = pid;
	return 0;
}

static void fill_rlimits(const struct session_env *env, struct exec_params *params)
{
	size_t n = env->rlimits ? env->rlimits->list.len : 0;

	for (size_t i = 0; i < n && i < EXEC_RLIMITS_MAX; i++) {
		const struct spec_rlimit *limit = &env->rlimits->list.items[i];

		params->rlimits[params->n_rlimits++] = (struct exec_rlimit){
			.resource = limit->resource,
			.soft = limit->soft,
			.hard = limit->hard,
		};
	}
}

static int begin(struct sessions *sessions, struct session *session, const struct session_env *env,
		 int spec_fd, const int stdio_fds[3])
{
	struct exec_params params = {
		.cap_bounding = env->cap_bounding,
		.n_tasks = (uint32_t)env->cgroup->n_tasks_fds,
		.joins_userns = env->joins_userns,
		.oom_score_adj = env->oom_score_adj,
		.intercepts = env->intercepts,
	};
	struct iovec iov = { .iov_base = &params, .iov_len = sizeof(params) };
	_cleanup_(fd_closep) int sender_fd = -EBADF;
	int r;

	fill_rlimits(env, &params);
	r = report_pair(&session->report_fd, &sender_fd);

	if (r == 0)
		r = sock_send(session->report_fd, &iov, 1, NULL, 0);
	if (r == 0)
		r = watch(sessions, session->report_fd, EPOLLIN, session);
	if (r == 0)
		r = session->payload_fd = fd_copy(env->cgroup->payload_fd, 0);
	if (r < 0)
		return r;
	make_leaf(session, env);
	return spawn(session, env, spec_fd, stdio_fds, sender_fd);
}

int sessions_prepare(struct sessions *sessions, const char *op, bool record, int *fds, size_t n_fds)
{
	return keep_prepare(&sessions->prepared, op, record, fds, n_fds);
}

/* What was prepared for another start is nobody's any more. */
static int take_prepared(struct sessions *sessions, struct session *session, const char *op,
			 struct err *err)
{
	int r;

	if (!op || !streq(op, sessions->prepared.op)) {
		keep_done(&sessions->prepared);
		return op ? err_kind(err, ERR_INVALID, "nothing was prepared for %s", op) : 0;
	}
	r = keep_begin(&session->keep, &sessions->prepared, sessions->epoll_fd, session);
	return r < 0 ? err_set(err, r, "watch the output of a session") : 0;
}

int sessions_start(struct sessions *sessions, const struct session_env *env,
		   const struct session_request *request, uint64_t *ret_id, struct err *err)
{
	struct session *session;
	int r;

	if (sessions->count >= SESSIONS_MAX)
		return err_kind(err, ERR_UNAVAILABLE,
				"the container has %d sessions, and no more are allowed",
				SESSIONS_MAX);
	session = session_new(sessions->last_id + 1, request->cookie);
	if (!session)
		return err_set(err, -ENOMEM, "begin a session");
	session->wants_link = request->link;
	r = take_prepared(sessions, session, request->op, err);
	if (r < 0) {
		session_free(sessions, session);
		return r;
	}
	r = begin(sessions, session, env, request->spec_fd, request->stdio_fds);
	if (r < 0) {
		if (session->leaf_fd >= 0)
			(void)cgroup_leaf_remove(session->payload_fd, session->leaf_name);
		session_free(sessions, session);
		return err_set(err, r, "begin a session");
	}
	sessions->last_id = session->id;
	sessions->count++;
	list_append(&sessions->list, &session->node);
	set_deadline(sessions, session, SESSION_START_TIMEOUT_MS);
	*ret_id = session->id;
	return 0;
}

/* Tell that the session could not be started, and why. */
static void fail(struct sessions *sessions, struct session *session)
{
	struct session_started started = {
		.id = session->id,
		.cookie = session->cookie,
		.master_fd = -EBADF,
		.link_fd = -EBADF,
		.exit_status = session->exit_status,
		.err = &session->err,
	};

	sessions->callbacks.started(sessions->callbacks.data, &started);
	become_gone(sessions, session);
}

/* Returns: the client's end; -EBADF: it has to do without. */
static int make_link(const struct sessions *sessions, struct session *session)
{
	int pair[2];

	if (!session->wants_link ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -EBADF;
	if (watch(sessions, pair[0], EPOLLIN, session) < 0) {
		(void)fd_close(pair[0]);
		return fd_close(pair[1]);
	}
	session->link_fd = pair[0];
	return pair[1];
}

static void succeed(struct sessions *sessions, struct session *session)
{
	struct session_started started = {
		.id = session->id,
		.cookie = session->cookie,
		.ok = true,
		.master_fd = session->master_fd < 0 ? -EBADF : fd_copy(session->master_fd, 0),
		.link_fd = make_link(sessions, session),
	};

	session->state = SESSION_RUNNING;
	set_deadline(sessions, session, 0);
	sessions->callbacks.started(sessions->callbacks.data, &started);
	(void)fd_close(started.master_fd);
	(void)fd_close(started.link_fd);
	if (session->has_status)
		become_exited(sessions, session);
}

/* End of file on the report: the command runs, or nobody is left that could. */
static void conclude(struct sessions *sessions, struct session *session)
{
	session->report_fd = unwatch(sessions, session->report_fd);
	if (!session->failed && session->pid == 0 && !session->has_status) {
		session->failed = true;
		(void)err_set(&session->err, -ECHILD,
			      "the helper was killed before the command ran: out of memory or of "
			      "processes?");
	}
	if (session->failed)
		fail(sessions, session);
	else
		succeed(sessions, session);
}

static void take_report(const struct sessions *sessions, struct session *session,
			const struct exec_report *report, pid_t sender, int *fd)
{
	switch ((enum exec_report_kind)report->kind) {
	case EXEC_REPORT_HELLO:
		session->pid = sender;
		break;
	case EXEC_REPORT_MASTER:
		(void)fd_close(session->master_fd);
		session->master_fd = TAKE_FD(*fd);
		break;
	case EXEC_REPORT_LISTENER:
		if (*fd >= 0)
			sessions->callbacks.listener(sessions->callbacks.data, TAKE_FD(*fd));
		break;
	case EXEC_REPORT_FAILED:
		session->failed = true;
		session->exit_status = (int)report->exit_status;
		session->err.code = report->code < 0 ? report->code : -EIO;
		session->err.kind =
			report->err_kind < ERR_KIND_MAX ? report->err_kind : ERR_INTERNAL;
		(void)snprintf(session->err.msg, sizeof(session->err.msg), "%.*s",
			       (int)sizeof(report->text), report->text);
		break;
	case EXEC_REPORT_KIND_MAX:
		break;
	}
}

static void read_reports(struct sessions *sessions, struct session *session)
{
	while (session->report_fd >= 0) {
		_cleanup_(fd_closep) int fd = -EBADF;
		struct exec_report report;
		pid_t sender = 0;
		ssize_t n =
			report_receive(session->report_fd, &report, sizeof(report), &sender, &fd);

		if (n == -EAGAIN)
			return;
		if (n == (ssize_t)sizeof(report)) {
			take_report(sessions, session, &report, sender, &fd);
			continue;
		}
		conclude(sessions, session); /* may free the session */
		return;
	}
}

static void give_up(struct sessions *sessions, struct session *session)
{
	kill_all(session);
	(void)err_set(&session->err, -ETIMEDOUT, "start the command in the container");
	fail(sessions, session);
}

/* Whoever waits for it is told what became of it. May free the session. */
static void conclude_now(struct sessions *sessions, struct session *session)
{
	kill_all(session);
	if (session->pid == 0 && !session->has_status) {
		session->failed = true;
		(void)err_kind(&session->err, ERR_UNAVAILABLE,
			       "the container ended before the command ran");
	}
	conclude(sessions, session);
}

void sessions_done(struct sessions *sessions)
{
	struct list *node, *tmp;

	list_for_each_safe(node, tmp, &sessions->list) {
		struct session *session = list_entry(node, struct session, node);

		if (session->state == SESSION_STARTING)
			conclude_now(sessions, session);
	}
	list_for_each_safe(node, tmp, &sessions->list) {
		struct session *session = list_entry(node, struct session, node);

		keep_move(&session->keep); /* the last that was recorded */
		session_free(sessions, session);
	}
	keep_done(&sessions->prepared);
	sessions->epoll_fd = fd_close(sessions->epoll_fd);
	sessions->timer_fd = fd_close(sessions->timer_fd);
	sessions->count = 0;
}

static void check_deadlines(struct sessions *sessions)
{
	uint64_t now_ns = time_mono_ns();
	struct list *node, *tmp;
	uint64_t expirations;

	(void)!read(sessions->timer_fd, &expirations, sizeof(expirations)); /* it has rung */
	list_for_each_safe(node, tmp, &sessions->list) {
		struct session *session = list_entry(node, struct session, node);

		if (session->deadline_ns == 0 || session->deadline_ns > now_ns)
			continue;
		if (session->state == SESSION_STARTING)
			give_up(sessions, session);
		else
			become_gone(sessions, session);
	}
	rearm(sessions);
}

/* A line of the client, or its end: it is gone, and its session goes too (N4). */
static void read_link(struct sessions *sessions, struct session *session)
{
	struct err ignored = { 0 };
	struct link_line line;
	ssize_t n = recv(session->link_fd, &line, sizeof(line), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(line)) {
		session->link_fd = unwatch(sessions, session->link_fd);
		(void)sessions_end(sessions, session->id, &ignored);
	} else if (line.kind == LINK_RESIZE) {
		(void)sessions_resize(sessions, session->id, line.a, line.b, &ignored);
	} else if (line.kind == LINK_SIGNAL) {
		(void)sessions_signal(sessions, session->id, (int)line.a, &ignored);
	}
}

static void handle_event(struct sessions *sessions, struct session *session)
{
	if (!session) {
		check_deadlines(sessions);
	} else if (session->report_fd >= 0) {
		read_reports(sessions, session);
	} else if (session->link_fd >= 0) {
		read_link(sessions, session);
	} else {
		keep_move(&session->keep);
		if (session->state != SESSION_RUNNING)
			drop_leaf(sessions, session);
		free_if_done(sessions, session);
	}
}

void sessions_dispatch(struct sessions *sessions)
{
	for (int i = 0; i < DISPATCH_MAX; i++) {
		struct epoll_event event;

		/* one at a time: handling one may free the session of another */
		if (epoll_wait(sessions->epoll_fd, &event, 1, 0) <= 0)
			return;
		handle_event(sessions, event.data.ptr);
	}
}

static bool take_status(struct sessions *sessions, pid_t pid, int wait_status)
{
	struct list *node, *tmp;

	list_for_each_safe(node, tmp, &sessions->list) {
		struct session *session = list_entry(node, struct session, node);

		if (session->helper_pid == pid) {
			session->helper_pid = 0;
			free_if_done(sessions, session);
			return true;
		}
		if (session->pid != pid)
			continue;
		session->pid = 0;
		session->has_status = true;
		session->wait_status = wait_status;
		if (session->state == SESSION_RUNNING)
			become_exited(sessions, session);
		else
			free_if_done(sessions, session); /* STARTING: its report ends now */
		return true;
	}
	return false;
}

bool sessions_reaped(struct sessions *sessions, pid_t pid, int wait_status)
{
	struct list *node, *tmp;

	if (take_status(sessions, pid, wait_status))
		return true;
	/* a command may be dead before its hello was read */
	list_for_each_safe(node, tmp, &sessions->list) {
		struct session *session = list_entry(node, struct session, node);

		if (session->state == SESSION_STARTING && session->pid == 0)
			read_reports(sessions, session);
	}
	return take_status(sessions, pid, wait_status);
}

static struct session *find(const struct sessions *sessions, uint64_t id)
{
	struct list *node;

	list_for_each(node, &sessions->list) {
		struct session *session = list_entry(node, struct session, node);

		if (session->id == id && session->state != SESSION_GONE)
			return session;
	}
	return NULL;
}

/* The session @id while it can be acted upon. */
static int find_live(const struct sessions *sessions, uint64_t id, struct session **ret_session,
		     struct err *err)
{
	struct session *session = find(sessions, id);

	if (!session)
		return err_kind(err, ERR_NOT_FOUND, "no session %" PRIu64, id);
	if (session->state != SESSION_RUNNING)
		return err_kind(err, ERR_CONFLICT, "session %" PRIu64 " %s", id,
				session->state == SESSION_EXITED ? "has ended"
								 : "is being started");
	*ret_session = session;
	return 0;
}

int sessions_signal(struct sessions *sessions, uint64_t id, int signal, struct err *err)
{
	struct session *session;
	pid_t group;
	int r = find_live(sessions, id, &session, err);

	if (r < 0)
		return r;
	if (signal < 1 || signal > SIGNAL_MAX)
		return err_kind(err, ERR_INVALID, "%d is not a signal", signal);
	group = session->master_fd >= 0 ? tcgetpgrp(session->master_fd) : session->pid;
	if (group <= 1)
		group = session->pid;
	if (kill(-group, signal) < 0 && errno != ESRCH)
		return err_set(err, -errno, "send signal %d to session %" PRIu64, signal, id);
	return 0;
}

int sessions_resize(struct sessions *sessions, uint64_t id, uint32_t width, uint32_t height,
		    struct err *err)
{
	struct session *session;
	int r = find_live(sessions, id, &session, err);

	if (r < 0)
		return r;
	if (session->master_fd < 0)
		return err_kind(err, ERR_CONFLICT, "session %" PRIu64 " has no terminal", id);
	r = pty_set_size(session->master_fd, MIN(width, (uint32_t)UINT16_MAX),
			 MIN(height, (uint32_t)UINT16_MAX));
	return r < 0 ? err_set(err, r, "resize session %" PRIu64, id) : 0;
}

int sessions_end(struct sessions *sessions, uint64_t id, struct err *err)
{
	struct session *session = find(sessions, id);

	if (!session)
		return err_kind(err, ERR_NOT_FOUND, "no session %" PRIu64, id);
	if (session->state == SESSION_EXITED) {
		become_gone(sessions, session);
		return 0;
	}
	session->master_fd = fd_close(session->master_fd);
	kill_all(session);
	return 0;
}

int sessions_release(struct sessions *sessions, uint64_t id, size_t index, struct err *err)
{
	struct session *session = find(sessions, id);

	if (!session)
		return err_kind(err, ERR_NOT_FOUND, "no session %" PRIu64, id);
	keep_release(&session->keep, index);
	return 0;
}

void sessions_alone(struct sessions *sessions)
{
	struct list *node;

	list_for_each(node, &sessions->list) {
		struct session *session = list_entry(node, struct session, node);

		if (session->state == SESSION_RUNNING && keep_is_set(&session->keep))
			keep_alone(&session->keep, session->master_fd);
		else if (session->link_fd < 0)
			session->master_fd = fd_close(session->master_fd);
	}
	keep_done(&sessions->prepared);
}

bool sessions_next_known(const struct sessions *sessions, uint64_t after,
			 struct session_end *ret_end)
{
	struct list *node;

	list_for_each(node, &sessions->list) {
		const struct session *session = list_entry(node, struct session, node);

		bool is_kept = keep_is_set(&session->keep);
		bool ended = session->state == SESSION_EXITED;

		if (session->id <= after ||
		    !(ended || (session->state == SESSION_RUNNING && is_kept)))
			continue;
		*ret_end = (struct session_end){
			.id = session->id,
			.ended = ended,
			.wait_status = session->wait_status,
			.op = is_kept ? session->keep.op : NULL,
			.record = session->keep.record,
		};
		return true;
	}
	return false;
}

void sessions_forget(struct sessions *sessions, uint64_t id)
{
	struct session *session = find(sessions, id);

	if (session && session->state == SESSION_EXITED)
		become_gone(sessions, session);
}

int session_open_program(int *ret_fd, struct err *err)
{
	_cleanup_(freep) char *path = helper_path("sysctr-exec");
	int fd = program_open(path, err);

	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

int session_make_seccomp_fd(const struct buf *filter, int *ret_fd, struct err *err)
{
	int fd = fd_memfd_new("sysctr-seccomp", buf_str(filter), filter->len);

	if (fd < 0)
		return err_set(err, fd, "make the seccomp file of sessions");
	*ret_fd = fd;
	return 0;
}

int session_make_environment_fd(const struct strmap *environment, int *ret_fd, struct err *err)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	int fd;

	strmap_for_each(entry, environment)
	{
		buf_printf(&text, "%s=%s", entry->key, (const char *)entry->value);
		buf_add_char(&text, '\0');
	}
	fd = fd_memfd_new("sysctr-environment", buf_str(&text), text.len);
	if (fd < 0)
		return err_set(err, fd, "make the environment file of sessions");
	*ret_fd = fd;
	return 0;
}

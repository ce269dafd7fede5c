/* monitor/request.c - see request.h */
#include "monitor/request.h"

#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "monitor/devices.h"
#include "monitor/mon.h"
#include "monitor/setup.h"
#include "monitor/supervise.h"
#include "os/fd.h"

enum {
	SPEC_BYTES_MAX = 1024 * 1024
};

/* An answer that a handler gives; a handler that answers later sets deferred. */
struct answer {
	struct msg msg;
	int fd; /* owned; sent along */
	bool deferred;
};

typedef int handler_fn(struct mon *mon, const struct ctl_request *request, struct answer *answer,
		       struct err *err);

static int handle_stop(struct mon *mon, const struct ctl_request *request, struct answer *answer,
		       struct err *err)
{
	(void)answer; /* empty */
	return supervise_event(mon, SUP_STOP_ASKED, request->msg->number, err);
}

static int handle_kill(struct mon *mon, const struct ctl_request *request, struct answer *answer,
		       struct err *err)
{
	(void)request;
	(void)answer; /* both empty */
	return supervise_event(mon, SUP_KILL_ASKED, 0, err);
}

static int handle_freeze(struct mon *mon, const struct ctl_request *request, struct answer *answer,
			 struct err *err)
{
	bool freeze = request->type == MSG_FREEZE;
	int r = supervise_event(mon, freeze ? SUP_FREEZE_ASKED : SUP_THAW_ASKED, 0, err);

	(void)answer; /* empty */
	if (r == 0)
		mon->thaw_when_alone = freeze && request->msg->force;
	return r;
}

static int decode_spec(int fd, struct inst_spec *ret_spec, struct err *err)
{
	struct buf bytes = { 0 };
	int r = fd_memfd_read(fd, SPEC_BYTES_MAX, &bytes);

	if (r < 0)
		err_set(err, r, "read the spec");
	else
		r = wire_decode(&inst_spec_schema, bytes.data, bytes.len, ret_spec, err);
	buf_done(&bytes);
	return r;
}

static int handle_next_spec(struct mon *mon, const struct ctl_request *request,
			    struct answer *answer, struct err *err)
{
	struct log_keys keys = mon_keys(mon, "next-spec");
	struct inst_spec spec = { 0 };
	int r;

	r = decode_spec(request->fds[0], &spec, err);
	if (r == 0 && !(streq(spec.name, mon->name) && streq(spec.cgroup, mon->spec.cgroup)))
		r = err_kind(err, ERR_INVALID, "spec of \"%s\"", spec.name ? spec.name : "");
	if (r == 0 && mon->cgroup.dir_fd >= 0)
		r = setup_apply_limits(mon, &spec.limits, err);
	if (r < 0) {
		wire_free(&inst_spec_schema, &spec);
		return r;
	}
	/* Commands of from now on get the new environment; init keeps its own. */
	if (setup_environment(mon, &spec, NULL) < 0)
		log_warn(keys, "commands keep the old environment");
	wire_free(&inst_spec_schema, &mon->next_spec);
	mon->next_spec = spec;
	mon->has_next = true;
	answer->msg.generation = spec.generation;
	return 0;
}

/* Between two lives there is nothing to exchange: the next one has all of it. */
static int apply_now(struct mon *mon, struct inst_spec *next, struct inst_spec *devices,
		     struct err *err)
{
	const struct limits *before = mon->has_next ? &mon->next_spec.limits : &mon->spec.limits;
	struct log_keys keys = mon_keys(mon, "apply-spec");
	int r;

	if (mon->state != MON_RUNNING && mon->state != MON_FROZEN)
		return 0;
	r = setup_apply_limits(mon, &next->limits, err);
	if (r < 0)
		return r;
	r = devices_exchange(mon, devices, err);
	if (r < 0 && setup_apply_limits(mon, before, NULL) < 0)
		log_error(keys, "the limits before could not be set again");
	return r;
}

/* Two copies of the spec: one for the next life, one whose devices become those of this life. */
static int handle_apply_spec(struct mon *mon, const struct ctl_request *request,
			     struct answer *answer, struct err *err)
{
	struct log_keys keys = mon_keys(mon, "apply-spec");
	struct inst_spec next = { 0 }, devices = { 0 };
	int r = request->n_fds == 1 ? decode_spec(request->fds[0], &next, err)
				    : err_kind(err, ERR_INVALID, "no spec");

	if (r == 0)
		r = decode_spec(request->fds[0], &devices, err);
	if (r == 0 && !(streq(next.name, mon->name) && streq(next.cgroup, mon->spec.cgroup)))
		r = err_kind(err, ERR_INVALID, "spec of \"%s\"", next.name ? next.name : "");
	if (r == 0)
		r = apply_now(mon, &next, &devices, err);
	wire_free(&inst_spec_schema, &devices);
	if (r < 0) {
		wire_free(&inst_spec_schema, &next);
		return r;
	}
	if (setup_environment(mon, &next, NULL) < 0)
		log_warn(keys, "commands keep the old environment");
	wire_free(&inst_spec_schema, &mon->next_spec);
	mon->next_spec = next;
	mon->has_next = true;
	answer->msg.generation = next.generation;
	return 0;
}

static int handle_session_start(struct mon *mon, const struct ctl_request *request,
				struct answer *answer, struct err *err)
{
	struct session_request session;
	struct session_env env;
	uint64_t id;

	if (mon->state != MON_RUNNING && mon->state != MON_STOPPING)
		return err_kind(err, ERR_CONFLICT, "instance \"%s\" is %s", mon->name,
				mon_state_name(mon->state));
	if (mon->exec_program_fd < 0)
		return err_kind(err, ERR_UNSUPPORTED, "sysctr-exec is not installed");
	if (request->n_fds != 1 && request->n_fds != MSG_FDS_MAX)
		return err_kind(err, ERR_INVALID, "session start with %zu descriptors",
				request->n_fds);
	session = (struct session_request){
		.spec_fd = request->fds[0],
		.stdio_fds = request->n_fds == MSG_FDS_MAX ? request->fds + 1 : NULL,
		.cookie = (uint64_t)request->conn->id << 32 | request->serial,
		.link = request->msg->link,
		.op = request->msg->text,
	};
	mon_fill_session_env(mon, &env);
	answer->deferred = true;
	return sessions_start(&mon->sessions, &env, &session, &id, err);
}

static int handle_session_keep(struct mon *mon, const struct ctl_request *request,
			       struct answer *answer, struct err *err)
{
	const struct msg *msg = request->msg;
	int r = sessions_prepare(&mon->sessions, msg->text, msg->record, request->fds,
				 request->n_fds);

	(void)answer; /* empty */
	return r < 0 ? err_set(err, r, "prepare to keep a session") : 0;
}

static int handle_session_release(struct mon *mon, const struct ctl_request *request,
				  struct answer *answer, struct err *err)
{
	(void)answer; /* empty */
	return sessions_release(&mon->sessions, request->msg->session,
				(size_t)request->msg->number - 1, err);
}

static int handle_session_signal(struct mon *mon, const struct ctl_request *request,
				 struct answer *answer, struct err *err)
{
	(void)answer; /* empty */
	return sessions_signal(&mon->sessions, request->msg->session, request->msg->number, err);
}

static int handle_session_resize(struct mon *mon, const struct ctl_request *request,
				 struct answer *answer, struct err *err)
{
	const struct msg *msg = request->msg;

	(void)answer; /* empty */
	return sessions_resize(&mon->sessions, msg->session, msg->width, msg->height, err);
}

static int handle_session_end(struct mon *mon, const struct ctl_request *request,
			      struct answer *answer, struct err *err)
{
	(void)answer; /* empty */
	return sessions_end(&mon->sessions, request->msg->session, err);
}

static int handle_console_attach(struct mon *mon, const struct ctl_request *request,
				 struct answer *answer, struct err *err)
{
	const struct msg *msg = request->msg;
	int fd;

	if (msg->width && msg->height)
		(void)console_resize(&mon->console, msg->width, msg->height);
	fd = console_attach(&mon->console, msg->height, msg->force, &answer->msg.force);
	if (fd == -EMFILE)
		return err_kind(err, ERR_UNAVAILABLE, "the console has too many watchers");
	if (fd < 0)
		return err_set(err, fd, "attach to the console");
	answer->fd = fd;
	return 0;
}

static int handle_console_resize(struct mon *mon, const struct ctl_request *request,
				 struct answer *answer, struct err *err)
{
	const struct msg *msg = request->msg;
	int r = console_resize(&mon->console, msg->width, msg->height);

	(void)answer; /* empty */
	return r < 0 ? err_set(err, r, "resize the console") : 0;
}

static int handle_console_log(struct mon *mon, const struct ctl_request *request,
			      struct answer *answer, struct err *err)
{
	(void)request; /* empty */
	answer->fd = console_snapshot(&mon->console);
	return answer->fd < 0 ? err_set(err, answer->fd, "copy the console's log") : 0;
}

static int handle_console_clear(struct mon *mon, const struct ctl_request *request,
				struct answer *answer, struct err *err)
{
	(void)request;
	(void)answer;
	(void)err; /* all empty; it cannot fail */
	console_clear(&mon->console);
	return 0;
}

static int handle_stats(struct mon *mon, const struct ctl_request *request, struct answer *answer,
			struct err *err)
{
	struct cgroup_usage usage = { 0 };
	struct msg *msg = &answer->msg;

	(void)request; /* empty */
	if (mon->cgroup.dir_fd >= 0)
		cgroup_read_usage(&mon->cgroup, &usage);
	mon_fill_state(mon, msg);
	msg->memory_bytes = usage.memory_bytes;
	msg->memory_peak_bytes = usage.memory_peak_bytes;
	msg->swap_bytes = usage.swap_bytes;
	msg->cpu_usage_ns = usage.cpu_usage_ns;
	msg->processes = usage.processes;
	return addresses_read(&mon->addresses, &mon->spec, true, msg, err);
}

/* Requests only; P1: what has no row is answered "not supported". */
static handler_fn *const handlers[MSG_TYPE_MAX] = {
	[MSG_STOP] = handle_stop,
	[MSG_KILL] = handle_kill,
	[MSG_FREEZE] = handle_freeze,
	[MSG_THAW] = handle_freeze,
	[MSG_NEXT_SPEC] = handle_next_spec,
	[MSG_SESSION_START] = handle_session_start,
	[MSG_SESSION_SIGNAL] = handle_session_signal,
	[MSG_SESSION_RESIZE] = handle_session_resize,
	[MSG_SESSION_END] = handle_session_end,
	[MSG_CONSOLE_ATTACH] = handle_console_attach,
	[MSG_CONSOLE_RESIZE] = handle_console_resize,
	[MSG_CONSOLE_LOG] = handle_console_log,
	[MSG_CONSOLE_CLEAR] = handle_console_clear,
	[MSG_STATS] = handle_stats,
	[MSG_APPLY_SPEC] = handle_apply_spec,
	[MSG_SESSION_KEEP] = handle_session_keep,
	[MSG_SESSION_RELEASE] = handle_session_release,
};

void request_handle(void *data, const struct ctl_request *request)
{
	struct mon *mon = data;
	struct answer answer = { .fd = -EBADF };
	struct err err = { 0 };
	int r;

	if (request->type >= MSG_TYPE_MAX || !handlers[request->type])
		r = err_kind(&err, ERR_UNSUPPORTED, "unknown request %u", request->type);
	else
		r = handlers[request->type](mon, request, &answer, &err);
	if (err.kind == ERR_UNSUPPORTED)
		err.code = -EOPNOTSUPP;
	if (r < 0)
		ctl_answer_err(request->conn, request->serial, &err);
	else if (!answer.deferred)
		ctl_answer(request->conn, request->serial, MSG_OK, &answer.msg, &answer.fd,
			   answer.fd >= 0);
	(void)fd_close(answer.fd);
	answer.msg.text = NULL; /* borrowed */
	wire_free(&msg_schema, &answer.msg);
}

/* Who froze it for a moment is gone: it must not stay so. */
static void thaw_alone(struct mon *mon)
{
	struct log_keys keys = mon_keys(mon, "thaw");
	struct err err = { 0 };

	if (!mon->thaw_when_alone)
		return;
	mon->thaw_when_alone = false;
	if ((mon->state == MON_FROZEN || mon->waits_for_thaw) &&
	    supervise_event(mon, SUP_THAW_ASKED, 0, &err) < 0)
		log_error(keys, "%s", err.msg);
}

void request_alone(void *data)
{
	struct mon *mon = data;

	thaw_alone(mon);
	sessions_alone(&mon->sessions);
}

void request_session_started(void *data, struct session_started *started)
{
	struct mon *mon = data;
	struct ctl_conn *conn = ctl_find(&mon->ctl, (uint32_t)(started->cookie >> 32));
	uint32_t serial = (uint32_t)started->cookie;
	struct msg msg = { .session = started->id };
	int fds[2];
	size_t n_fds = 0;

	if (started->master_fd >= 0)
		fds[n_fds++] = started->master_fd;
	if (started->link_fd >= 0)
		fds[n_fds++] = started->link_fd;
	if (started->ok) {
		ctl_answer(conn, serial, MSG_OK, &msg, fds, n_fds);
		return;
	}
	if (!conn)
		return;
	msg.number = started->exit_status;
	msg.code = started->err->code ? started->err->code : -EIO;
	msg.kind = started->err->kind;
	msg.text = (char *)started->err->msg;
	ctl_answer(conn, serial, MSG_ERROR, &msg, NULL, 0);
}

/* Forgotten once everybody who is there has been told; who comes later is told on connect. */
void request_session_listener(void *data, int listener_fd)
{
	intercept_add(data, listener_fd);
}

void request_session_exited(void *data, uint64_t id, int wait_status)
{
	struct mon *mon = data;
	struct msg msg = { .session = id, .number = wait_status };
	size_t told = 0, missed = 0;

	for (size_t i = 0; i < CTL_CONNS_MAX; i++) {
		struct ctl_conn *conn = &mon->ctl.conns[i];

		if (conn->fd < 0)
			continue;
		if (ctl_send_event(conn, MSG_SESSION_EXIT, &msg) == 0)
			told++;
		else
			missed++;
	}
	if (told > 0 && missed == 0)
		sessions_forget(&mon->sessions, id);
}

/* All that somebody who was not there, or did not read, has to know. */
static void tell_sessions(struct mon *mon, struct ctl_conn *conn)
{
	struct session_end end = { 0 };

	while (conn->fd >= 0 && sessions_next_known(&mon->sessions, end.id, &end)) {
		struct msg msg = {
			.session = end.id,
			.number = end.wait_status,
			.text = (char *)end.op,
			.record = end.record,
		};

		if (ctl_send_event(conn, end.ended ? MSG_SESSION_EXIT : MSG_SESSION_KEPT, &msg) < 0)
			return;
		if (end.ended)
			sessions_forget(&mon->sessions, end.id);
	}
}

static void tell_addresses(struct mon *mon, struct ctl_conn *conn)
{
	struct err err = { 0 };
	struct msg msg = { 0 };
	int r = addresses_read(&mon->addresses, &mon->spec, false, &msg, &err);
	struct log_keys keys = mon_keys(mon, "addresses");

	if (r < 0)
		log_warn(keys, "%s", err_text(&err, r));
	else
		(void)ctl_send_event(conn, MSG_ADDRESSES, &msg);
	wire_free(&msg_schema, &msg);
}

void request_make_event(void *data, struct ctl_conn *conn, enum msg_type type)
{
	struct mon *mon = data;
	struct msg msg = { 0 };

	if (type == MSG_SESSION_EXIT || type == MSG_SESSION_KEPT) {
		tell_sessions(mon, conn);
	} else if (type == MSG_ADDRESSES) {
		tell_addresses(mon, conn);
	} else if (type == MSG_STATE || type == MSG_READY) {
		mon_fill_state(mon, &msg);
		(void)ctl_send_event(conn, type, &msg);
	}
}

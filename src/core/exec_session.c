/* core/exec_session.c - see exec_session.h */
#include "core/exec_session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "aio/fdsession.h"
#include "aio/pump.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/monitor_conn.h"
#include "core/op_streams.h"
#include "os/fd.h"
#include "spec/exec_control.h"
#include "spec/keys.h"

enum {
	STREAM_STDIN,
	STREAM_STDOUT,
	STREAM_STDERR,
	STREAM_COUNT
};

enum {
	STDIN_PIPE_BYTES = 1024 * 1024 /* what any user may have, pipe(7) */
};

static const char *const stream_names[] = { "0", "1", "2" };

struct session;

struct session_stream {
	struct session *session;
	struct pump *pump; /* NULL: none, or ended */
	bool source;	   /* output comes from it: its end is waited for */
};

struct session {
	struct list node; /* in inst->sessions, from the monitor's answer on */
	struct op *op;
	struct inst *inst; /* valid while the session is in its list */
	char *name;
	struct exec_request *request;
	struct op_streams streams;
	struct session_stream pumps[STREAM_COUNT];
	int stdin_fd;	   /* the command's end of the pipe, until it starts */
	VEC(int) keep_fds; /* for MSG_SESSION_KEEP; closed when that was sent */
	uint64_t id;	   /* the monitor's; 0: not started */
	bool exited;
	int wait_status;
	bool over;     /* status known, output drained, streams closed */
	bool awaiting; /* the op is in its last step */
};

void exec_request_free(struct exec_request *request)
{
	if (!request)
		return;
	wire_free(&session_spec_schema, &request->spec);
	free(request);
}

static void close_keep_fds(struct session *session)
{
	vec_for_each(fd, &session->keep_fds)
		(void)fd_close(*fd);
	free(session->keep_fds.items);
	session->keep_fds.items = NULL;
	session->keep_fds.len = session->keep_fds.cap = 0;
}

static void session_free(void *data)
{
	struct session *session = data;

	list_remove(&session->node);
	for (size_t i = 0; i < STREAM_COUNT; i++)
		(void)pump_free(session->pumps[i].pump);
	op_streams_done(&session->streams);
	(void)fd_close(session->stdin_fd);
	close_keep_fds(session);
	exec_request_free(session->request);
	free(session->name);
	free(session);
}

/* ---- the end ---- */

static int exit_code(int wait_status)
{
	if (WIFEXITED(wait_status))
		return WEXITSTATUS(wait_status);
	return 128 + (WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0);
}

static bool output_is_drained(const struct session *session)
{
	for (size_t i = 0; i < STREAM_COUNT; i++)
		if (session->pumps[i].source)
			return false;
	return true;
}

static void set_return(struct op *op, int code)
{
	op->has_return = true;
	op->return_code = code;
	if (code == 126)
		(void)err_kind(&op->err, ERR_INVALID, "Command not executable");
	else if (code == 127)
		(void)err_kind(&op->err, ERR_INVALID, "Command not found");
	else if (code < 0 && op->err.code == 0)
		(void)err_kind(&op->err, ERR_INTERNAL, "the command's end is not known");
}

static void send_exit_line(struct session *session, int code)
{
	char line[32];

	if (!session->streams.fdsession)
		return;
	(void)snprintf(line, sizeof(line), "exit %d", code);
	(void)fdsession_send(session->streams.fdsession, line, -EBADF);
	fdsession_close(session->streams.fdsession);
}

/* Control first, then the data streams, then the status: the order that clients count on. */
static void close_streams(struct session *session, int code)
{
	op_streams_close_control(&session->streams);
	for (size_t i = 0; i < STREAM_COUNT; i++)
		if (session->pumps[i].pump)
			pump_end(TAKE_PTR(session->pumps[i].pump), NULL);
	send_exit_line(session, code);
}

static void finish_if_over(struct session *session)
{
	int code;

	if (session->over || !session->exited || !output_is_drained(session))
		return;
	code = exit_code(session->wait_status);
	list_remove(&session->node);
	session->id = 0;
	session->over = true;
	close_streams(session, code);
	set_return(session->op, code);
	if (session->awaiting)
		op_resume(session->op, session->op->err.code < 0 ? OP_FAIL : OP_NEXT);
}

static void kill_command(struct session *session)
{
	struct msg msg = { .session = session->id };

	if (session->id && !session->exited)
		(void)monitor_request(session->inst, MSG_SESSION_END, &msg, NULL, 0, NULL, NULL);
}

static void source_ended(void *data)
{
	struct session_stream *stream = data;

	stream->source = false;
	finish_if_over(stream->session);
}

/* The monitor has a copy of the pipe, too. */
static void release_stream(struct session *session, int index)
{
	struct msg msg = { .session = session->id, .number = index };

	if (session->id && index != STREAM_STDIN)
		(void)monitor_request(session->inst, MSG_SESSION_RELEASE, &msg, NULL, 0, NULL,
				      NULL);
}

/* Without a control stream the one for output tells whether the client still listens. */
static void client_gone(void *data)
{
	struct session_stream *stream = data;
	struct session *session = stream->session;
	bool is_output = stream == &session->pumps[STREAM_STDOUT];

	if (session->request->spec.interactive ||
	    (is_output && !op_stream_is_open(&session->streams, "control")))
		kill_command(session);
	if (!session->request->spec.interactive) {
		stream->source = false; /* the pipe is closed: writing there is SIGPIPE now */
		release_stream(session, (int)(stream - session->pumps));
	}
	finish_if_over(session);
}

static const struct pump_handler pump_handlers = {
	.on_source_end = source_ended,
	.on_client_gone = client_gone,
};

static void mark_exited(struct session *session, int wait_status)
{
	session->exited = true;
	session->wait_status = wait_status;
	for (size_t i = 0; i < STREAM_COUNT; i++)
		if (session->pumps[i].source)
			pump_finish(session->pumps[i].pump);
	finish_if_over(session);
}

static struct session *find_session(const struct inst *inst, uint64_t id)
{
	struct list *node;

	list_for_each(node, &inst->sessions)
		if (list_entry(node, struct session, node)->id == id)
			return list_entry(node, struct session, node);
	return NULL;
}

void exec_session_exited(struct inst *inst, const struct msg *msg)
{
	struct session *session;

	exec_session_kept(inst, msg); /* it may have ended while no sysctrd was there */
	session = find_session(inst, msg->session);
	if (session && !session->exited)
		mark_exited(session, msg->number);
}

void exec_sessions_monitor_gone(struct inst *inst)
{
	struct list *node, *tmp;

	list_for_each_safe(node, tmp, &inst->sessions) {
		struct session *session = list_entry(node, struct session, node);

		/* A slow client may still read the output when the instance is no more. */
		list_remove(&session->node);
		session->id = 0;
		if (!session->exited)
			mark_exited(session, SIGKILL);
	}
}

/* ---- what the client says ---- */

static void resize(struct session *session, uint32_t width, uint32_t height)
{
	struct msg msg = { .session = session->id, .width = width, .height = height };

	if (session->id)
		(void)monitor_request(session->inst, MSG_SESSION_RESIZE, &msg, NULL, 0, NULL, NULL);
}

static void forward_signal(struct session *session, int number)
{
	struct msg msg = { .session = session->id, .number = number };

	if (session->id)
		(void)monitor_request(session->inst, MSG_SESSION_SIGNAL, &msg, NULL, 0, NULL, NULL);
}

static void on_control(void *data, const char *text, size_t len)
{
	struct exec_control control;

	if (exec_control_parse(text, len, &control) < 0)
		return; /* ignored, as the clients expect */
	if (control.kind == EXEC_CONTROL_RESIZE)
		resize(data, control.width, control.height);
	else
		forward_signal(data, control.signal);
}

static void on_control_closed(void *data)
{
	kill_command(data);
}

/* "resize W H" and "signal N" of our own client. */
static void on_line(void *data, const char *line)
{
	unsigned int a, b;

	if (sscanf(line, "resize %5u %5u", &a, &b) == 2)
		resize(data, a, b);
	else if (sscanf(line, "signal %3u", &a) == 1)
		forward_signal(data, (int)a);
}

/* ---- the start ---- */

static void set_default(struct strmap *map, const char *key, const char *value)
{
	if (!strmap_has(map, key))
		strmap_set(map, key, value);
}

/* Instance's environment.*, then what a login would set, then what the client said on top. */
static void complete_environment(const struct inst *inst, struct session_spec *spec)
{
	strmap_for_each(entry, &inst->expanded.config)
	{
		const char *key = str_after(entry->key, "environment.");

		if (key)
			set_default(&spec->environment, key, entry->value);
	}
	set_default(&spec->environment, "PATH",
		    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	set_default(&spec->environment, "LANG", "C.UTF-8");
	if (spec->uid == 0 && !spec->user) {
		set_default(&spec->environment, "HOME", "/root");
		set_default(&spec->environment, "USER", "root");
	}
}

static enum op_next step_await_client(struct op *op)
{
	struct session *session = op->args;

	return session->request->wait_for_client ? op_streams_await(&session->streams) : OP_NEXT;
}

static void start_pump(struct session *session, int index, int from_fd, int to_fd)
{
	struct session_stream *stream = &session->pumps[index];

	stream->session = session;
	stream->source = from_fd >= 0;
	stream->pump = pump_new(session->op->core->loop,
				&(struct pump_config){ .from_fd = from_fd,
						       .to_fd = to_fd,
						       .handler = &pump_handlers,
						       .data = stream },
				op_stream_take(&session->streams, stream_names[index]));
}

static void start_pty_pump(struct session *session, int master_fd)
{
	start_pump(session, STREAM_STDIN, master_fd, master_fd);
}

/* What our own client goes on with, also without us: the terminal, and the monitor's link. */
static void hand_on(struct session *session, const int *fds, size_t n_fds)
{
	size_t n = 0;

	if (session->request->spec.interactive && n < n_fds)
		(void)fdsession_send(session->streams.fdsession, "pty", fds[n++]);
	if (n < n_fds) /* a monitor of before has none */
		(void)fdsession_send(session->streams.fdsession, "link", fds[n]);
}

static void started(void *data, const struct msg *answer, enum msg_type type, int *fds,
		    size_t n_fds)
{
	struct op *op = data;
	struct session *session = op->args;

	if (monitor_answer_err(answer, type, &op->err) < 0) {
		int code = answer && answer->number ? answer->number : -1;

		close_streams(session, code);
		set_return(op, code);
		op_resume(op, OP_FAIL);
		op_unref(op);
		return;
	}
	session->id = answer->session;
	list_append(&session->inst->sessions, &session->node);
	for (int i = STREAM_STDOUT; i < STREAM_COUNT; i++)
		if (session->pumps[i].session && !session->pumps[i].source)
			release_stream(session, i); /* closed before it began */
	if (session->streams.fdsession)
		hand_on(session, fds, n_fds);
	else if (n_fds > 0)
		start_pty_pump(session, TAKE_FD(fds[0]));
	op_resume(op, OP_NEXT);
	op_unref(op);
}

/* A pipe that the client fills; it is there already when the client came early. */
static int make_stdin(struct session *session)
{
	int ends[2], r;

	if (session->stdin_fd >= 0)
		return 0;
	r = fd_pipe(ends);
	if (r < 0)
		return r;
	(void)fcntl(ends[1], F_SETPIPE_SZ, STDIN_PIPE_BYTES); /* less is only less */
	session->stdin_fd = ends[0];
	start_pump(session, STREAM_STDIN, -EBADF, ends[1]);
	return 0;
}

/* Some clients write all of their input before they open the socket for the output. */
static void on_stream(void *data, const char *name)
{
	struct session *session = data;

	if (!session->request->spec.interactive && streq(name, stream_names[STREAM_STDIN]))
		(void)make_stdin(session); /* or it is tried again at the start */
}

/* Returns: the command's end, or -errno. */
static int make_output(struct session *session, int index)
{
	int ends[2], copy, r = fd_pipe(ends);

	if (r < 0)
		return r;
	start_pump(session, index, ends[0], -EBADF);
	copy = fd_copy(ends[0], 0);
	if (copy < 0) {
		(void)fd_close(ends[1]);
		return copy;
	}
	*vec_push(&session->keep_fds) = copy;
	return ends[1];
}

/* The command's ends of three pipes in @ret_fds; the other ends get pumps. */
static int make_pipes(struct session *session, int ret_fds[STREAM_COUNT])
{
	int r = make_stdin(session);

	if (r < 0)
		return r;
	ret_fds[STREAM_STDIN] = TAKE_FD(session->stdin_fd);
	for (int i = STREAM_STDOUT; i < STREAM_COUNT; i++) {
		ret_fds[i] = make_output(session, i);
		if (ret_fds[i] < 0)
			return ret_fds[i];
	}
	return 0;
}

static char *record_name(const struct op *op, int index)
{
	return xasprintf("exec_%s.%s", op->id, index == STREAM_STDOUT ? "stdout" : "stderr");
}

static void show_records(struct op *op)
{
	strmap_set_take(&op->metadata, "output.1", record_name(op, STREAM_STDOUT));
	strmap_set_take(&op->metadata, "output.2", record_name(op, STREAM_STDERR));
}

/*
 * Recorded output: files of the daemon beside its logs, never inside the instance. The command has
 * a pipe, and the monitor moves what comes out of it, up to a limit.
 */
static int open_record(struct session *session, int index)
{
	_cleanup_(freep) char *dir = inst_log_dir(session->inst);
	_cleanup_(freep) char *name = record_name(session->op, index);
	_cleanup_(freep) char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int ends[2], r;

	if (fd < 0)
		return -errno;
	r = fd_pipe(ends);
	if (r < 0) {
		(void)fd_close(fd);
		return r;
	}
	*vec_push(&session->keep_fds) = ends[0];
	*vec_push(&session->keep_fds) = fd;
	return ends[1];
}

static int make_files(struct session *session, int ret_fds[STREAM_COUNT])
{
	for (int i = 0; i < STREAM_COUNT; i++) {
		if (session->request->record_output && i != STREAM_STDIN)
			ret_fds[i] = open_record(session, i);
		else
			ret_fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (ret_fds[i] < 0)
			return ret_fds[i];
	}
	if (session->request->record_output)
		show_records(session->op);
	return 0;
}

static int make_stdio(struct session *session, int ret_fds[STREAM_COUNT])
{
	struct op_streams *streams = &session->streams;

	if (!session->request->wait_for_client)
		return make_files(session, ret_fds);
	if (!streams->fdsession)
		return make_pipes(session, ret_fds);
	if (streams->n_client_fds != STREAM_COUNT)
		return -EBADMSG;
	for (int i = 0; i < STREAM_COUNT; i++)
		ret_fds[i] = TAKE_FD(streams->client_fds[i]);
	return 0;
}

/* Tell the monitor whose session the next one is, and what it needs to go on without us. */
static int send_keep(struct session *session)
{
	struct msg msg = { .text = session->op->id, .record = session->request->record_output };
	int r = monitor_request(session->inst, MSG_SESSION_KEEP, &msg, session->keep_fds.items,
				session->keep_fds.len, NULL, NULL);

	close_keep_fds(session);
	return r;
}

static int send_start(struct op *op, int spec_fd)
{
	struct session *session = op->args;
	bool own_client = session->streams.fdsession != NULL;
	struct msg msg = { .link = own_client, .text = own_client ? NULL : op->id };
	int fds[1 + STREAM_COUNT] = { spec_fd, -EBADF, -EBADF, -EBADF };
	size_t n = 1;
	int r = 0;

	if (!session->request->spec.interactive) {
		r = make_stdio(session, fds + 1);
		n = ARRAY_LEN(fds);
	}
	if (r == 0 && !own_client)
		r = send_keep(session);
	if (r == 0)
		r = monitor_request(session->inst, MSG_SESSION_START, &msg, fds, n, started,
				    op_ref(op));
	for (size_t i = 1; i < n; i++)
		(void)fd_close(fds[i]);
	return r;
}

static enum op_next step_start(struct op *op)
{
	struct session *session = op->args;
	_cleanup_(fd_closep) int spec_fd = -EBADF;
	struct buf bytes = { 0 };
	int r;

	/* While the client was connecting the instance may have gone. */
	if (strmap_get(&op->core->instances, session->name) != session->inst ||
	    session->inst->state != INST_RUNNING) {
		(void)err_kind(&op->err, ERR_INVALID, "Instance is not running");
		close_streams(session, -1);
		return OP_FAIL;
	}
	wire_encode(&session_spec_schema, &session->request->spec, &bytes);
	spec_fd = fd_memfd_new("session", bytes.data, bytes.len);
	buf_done(&bytes);
	r = spec_fd < 0 ? spec_fd : send_start(op, spec_fd);
	if (r < 0) {
		(void)err_set(&op->err, r, "instance \"%s\": start a command", session->name);
		close_streams(session, -1);
		return OP_FAIL;
	}
	return OP_WAIT;
}

/* Cancelled before somebody waited for its end: nobody will look after it. */
static enum op_next undo_start(struct op *op)
{
	kill_command(op->args);
	return OP_NEXT;
}

static void cancel_command(struct op *op)
{
	kill_command(op->args);
	op->cancel_wait = cancel_command;
}

static enum op_next step_await_exit(struct op *op)
{
	struct session *session = op->args;

	if (session->over)
		return op_result(op->err.code);
	session->awaiting = true;
	op->cancel_wait = cancel_command;
	return OP_WAIT;
}

static const struct op_step steps[] = {
	{ "await-client", step_await_client, NULL },
	{ "start", step_start, undo_start },
	{ "await-exit", step_await_exit, NULL },
	{ 0 },
};
static const struct op_table exec_table = { "exec", steps };

static const struct op_step kept_steps[] = {
	{ "await-exit", step_await_exit, NULL },
	{ 0 },
};
static const struct op_table kept_table = { "exec-kept", kept_steps };

static void add_streams(struct session *session)
{
	bool interactive = session->request->spec.interactive;

	session->streams.on_stream = on_stream;
	session->streams.on_control = on_control;
	session->streams.on_control_closed = on_control_closed;
	session->streams.on_line = on_line;
	session->streams.on_fds_closed = on_control_closed;
	session->streams.data = session;
	if (!session->request->wait_for_client)
		return;
	op_stream_add(&session->streams, "control", interactive);
	for (int i = 0; i < (interactive ? 1 : STREAM_COUNT); i++)
		op_stream_add(&session->streams, stream_names[i], true);
	op_stream_add(&session->streams, "fds", false);
}

static int check_state(const struct inst *inst, struct err *err)
{
	if (inst->state == INST_FROZEN)
		return err_kind(err, ERR_INVALID, "Instance is frozen");
	if (inst->state != INST_RUNNING || inst->releasing)
		return err_kind(err, ERR_INVALID, "Instance is not running");
	return core_check_open(inst->core, err);
}

/* Takes @request. Returns: the session of a new op, or NULL with *@err set. */
static struct session *session_new(struct inst *inst, struct exec_request *request, struct err *err)
{
	struct session *session = xcalloc(1, sizeof(*session));
	enum op_class class = request->wait_for_client ? OP_WEBSOCKET : OP_TASK;

	session->inst = inst;
	session->name = xstrdup(inst->record->name);
	session->request = request;
	session->stdin_fd = -EBADF;
	list_init(&session->node);
	session->op = op_new(inst->core, class, "Executing command", NULL, NULL, err);
	if (!session->op) {
		exec_request_free(request);
		free(session->name);
		free(session);
		return NULL;
	}
	session->op->args = session;
	session->op->free_args = session_free;
	op_streams_init(&session->streams, session->op);
	op_add_resource(session->op, "instances", inst->record->name);
	return session;
}

int exec_session_new(struct inst *inst, struct exec_request *request, struct op **ret_op,
		     struct err *err)
{
	struct session *session;
	int r = check_state(inst, err);

	if (r < 0) {
		exec_request_free(request);
		return r;
	}
	complete_environment(inst, &request->spec);
	session = session_new(inst, request, err);
	if (!session)
		return -EBUSY;
	add_streams(session);
	op_add_table(session->op, &exec_table);
	op_start(session->op);
	*ret_op = session->op;
	return 0;
}

void exec_session_kept(struct inst *inst, const struct msg *msg)
{
	struct log_keys keys = { .inst = inst->record->name, .op = msg->text };
	struct exec_request *request;
	struct session *session;
	struct err err = { 0 };

	if (find_session(inst, msg->session) || !msg->text || strlen(msg->text) != UUID_LEN - 1 ||
	    op_find(inst->core, msg->text))
		return;
	request = xcalloc(1, sizeof(*request));
	request->record_output = msg->record;
	session = session_new(inst, request, &err);
	if (!session) {
		log_warn(keys, "session %" PRIu64 " goes on without its operation: %s",
			 msg->session, err.msg);
		return;
	}
	log_debug(keys, "session %" PRIu64 " goes on", msg->session);
	memcpy(session->op->id, msg->text, UUID_LEN);
	session->id = msg->session;
	list_append(&inst->sessions, &session->node);
	if (msg->record)
		show_records(session->op);
	op_add_table(session->op, &kept_table);
	op_start(session->op);
}

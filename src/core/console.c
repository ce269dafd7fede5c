/* core/console.c - see console.h */
#include "core/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "aio/fdsession.h"
#include "aio/pump.h"
#include "base/buf.h"
#include "base/macro.h"
#include "base/mem.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/monitor_conn.h"
#include "core/op_streams.h"
#include "os/fd.h"
#include "spec/exec_control.h"

#define LOG_NAME "console.log" /* and ".1": sysctr-monitor writes and turns them over */

enum {
	LOG_BYTES = 128 * 1024 /* what is shown: as much as a monitor remembers */
};

struct console {
	struct op *op;
	char *name; /* of the instance, which may go before we do */
	struct op_streams streams;
	struct msg attach; /* width, height, force */
	struct pump *pump; /* NULL also when the client has the stream itself */
	bool over;
	bool awaiting;
};

static void console_free(void *data)
{
	struct console *console = data;

	(void)pump_free(console->pump);
	op_streams_done(&console->streams);
	free(console->name);
	free(console);
}

/* NULL once it is gone. */
static struct inst *find_inst(struct console *console)
{
	return strmap_get(&console->op->core->instances, console->name);
}

static void end_console(struct console *console)
{
	if (console->over)
		return;
	console->over = true;
	if (console->pump)
		pump_end(TAKE_PTR(console->pump), "\n\r");
	op_streams_close_control(&console->streams);
	if (console->streams.fdsession)
		fdsession_close(console->streams.fdsession);
	if (console->awaiting)
		op_resume(console->op, OP_NEXT);
}

static void on_end(void *data)
{
	end_console(data);
}

static const struct pump_handler pump_handlers = {
	.on_source_end = on_end,
	.on_client_gone = on_end,
};

static void resize(struct console *console, uint32_t width, uint32_t height)
{
	struct inst *inst = find_inst(console);
	struct msg msg = { .width = width, .height = height };

	if (inst)
		(void)monitor_request(inst, MSG_CONSOLE_RESIZE, &msg, NULL, 0, NULL, NULL);
}

/* "resize W H" of our own client. */
static void on_line(void *data, const char *line)
{
	unsigned int width, height;

	if (sscanf(line, "resize %5u %5u", &width, &height) == 2)
		resize(data, width, height);
}

static void on_control(void *data, const char *text, size_t len)
{
	struct exec_control control;

	if (exec_control_parse(text, len, &control) == 0 && control.kind == EXEC_CONTROL_RESIZE)
		resize(data, control.width, control.height);
}

static enum op_next step_await_client(struct op *op)
{
	struct console *console = op->args;

	return op_streams_await(&console->streams);
}

/* Our own client goes on with the stream, also without us; the others get a pump. */
static void use_stream(struct console *console, int *fd)
{
	if (console->streams.fdsession) {
		(void)fdsession_send(console->streams.fdsession, "console", *fd);
		return;
	}
	console->pump = pump_new(console->op->core->loop,
				 &(struct pump_config){ .from_fd = *fd,
							.to_fd = *fd,
							.handler = &pump_handlers,
							.data = console },
				 op_stream_take(&console->streams, "0"));
	*fd = -EBADF;
}

static void attached(void *data, const struct msg *answer, enum msg_type type, int *fds,
		     size_t n_fds)
{
	struct op *op = data;
	struct console *console = op->args;

	if (monitor_answer_err(answer, type, &op->err) == 0 && n_fds == 0)
		(void)err_kind(&op->err, ERR_INTERNAL, "the monitor sent no console");
	if (op->err.code < 0)
		end_console(console);
	else if (!console->over) /* else the client has gone meanwhile */
		use_stream(console, &fds[0]);
	op_resume(op, op->err.code < 0 ? OP_FAIL : OP_NEXT);
	op_unref(op);
}

static enum op_next step_attach(struct op *op)
{
	struct console *console = op->args;
	struct inst *inst = find_inst(console);
	int r = inst ? monitor_request(inst, MSG_CONSOLE_ATTACH, &console->attach, NULL, 0,
				       attached, op)
		     : -ENOTCONN;

	if (r < 0) {
		(void)err_kind(&op->err, ERR_INVALID, "Instance is not running");
		end_console(console);
		return OP_FAIL;
	}
	(void)op_ref(op);
	return OP_WAIT;
}

static enum op_next undo_attach(struct op *op)
{
	end_console(op->args);
	return OP_NEXT;
}

static void detach(struct op *op)
{
	end_console(op->args);
}

static enum op_next step_await_end(struct op *op)
{
	struct console *console = op->args;

	if (console->over)
		return OP_NEXT;
	console->awaiting = true;
	op->cancel_wait = detach;
	return OP_WAIT;
}

static const struct op_step steps[] = {
	{ "await-client", step_await_client, NULL },
	{ "attach", step_attach, undo_attach },
	{ "await-end", step_await_end, NULL },
	{ 0 },
};
static const struct op_table console_table = { "console", steps };

int console_attach(struct inst *inst, uint32_t width, uint32_t height, bool force,
		   struct op **ret_op, struct err *err)
{
	struct console *console;
	struct op *op;
	int r = core_check_open(inst->core, err);

	if (r < 0)
		return r;
	if (!inst_is_running(inst) || inst->releasing)
		return err_kind(err, ERR_INVALID, "Instance is not running");
	op = op_new(inst->core, OP_WEBSOCKET, "Showing console", NULL, NULL, err);
	if (!op)
		return -EBUSY;
	console = xcalloc(1, sizeof(*console));
	console->op = op;
	console->name = xstrdup(inst->record->name);
	console->attach = (struct msg){ .width = width, .height = height, .force = force };
	op->args = console;
	op->free_args = console_free;
	op_streams_init(&console->streams, op);
	console->streams.on_control = on_control;
	console->streams.on_control_closed = on_end;
	console->streams.on_line = on_line;
	console->streams.on_fds_closed = on_end;
	console->streams.data = console;
	op_stream_add(&console->streams, "control", true);
	op_stream_add(&console->streams, "0", true);
	op_stream_add(&console->streams, "fds", false);
	op_add_resource(op, "instances", inst->record->name);
	op_add_table(op, &console_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

/* ---- the log ---- */

/* What is left of @max bytes at the end of a log file. 0 or -errno; a missing file is empty. */
static int read_tail(const char *path, size_t max, struct buf *out)
{
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	off_t size;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	size = lseek(fd, 0, SEEK_END);
	if (size < 0 || lseek(fd, MAX(size - (off_t)max, 0), SEEK_SET) < 0)
		return -errno;
	return fd_read_all(fd, max, out);
}

/* As much as the monitor would remember, from the log and, if that is short, the one before. */
static int read_log(const struct inst *inst, struct err *err)
{
	_cleanup_(freep) char *dir = inst_log_dir(inst);
	_cleanup_(freep) char *path = xasprintf("%s/" LOG_NAME, dir);
	_cleanup_(freep) char *old_path = xasprintf("%s.1", path);
	_cleanup_(buf_done) struct buf text = { 0 }, older = { 0 };
	int r = read_tail(path, LOG_BYTES, &text);

	if (r == 0 && text.len < LOG_BYTES)
		r = read_tail(old_path, LOG_BYTES - text.len, &older);
	if (r < 0)
		return err_set(err, r, "read %s", path);
	buf_add(&older, buf_str(&text), text.len);
	r = fd_memfd_new("console", buf_str(&older), older.len);
	return r < 0 ? err_set(err, r, "copy %s", path) : r;
}

static int empty_log(const struct inst *inst, struct err *err)
{
	_cleanup_(freep) char *dir = inst_log_dir(inst);
	_cleanup_(freep) char *path = xasprintf("%s/" LOG_NAME, dir);
	_cleanup_(freep) char *old_path = xasprintf("%s.1", path);

	if (truncate(path, 0) < 0 && errno != ENOENT)
		return err_set(err, -errno, "empty %s", path);
	if (unlink(old_path) < 0 && errno != ENOENT)
		return err_set(err, -errno, "remove %s", old_path);
	return 0;
}

struct log_request {
	struct core *core;
	char *name; /* of the instance */
	enum msg_type type;
	console_log_fn *done;
	void *data;
};

static void answer_from_file(const struct inst *inst, enum msg_type type, console_log_fn *done,
			     void *data)
{
	struct err err = { 0 };
	int r = type == MSG_CONSOLE_LOG ? read_log(inst, &err) : empty_log(inst, &err);

	done(data, r >= 0 && type == MSG_CONSOLE_LOG ? r : -EBADF, r < 0 ? &err : NULL);
}

static void log_answered(void *data, const struct msg *answer, enum msg_type type, int *fds,
			 size_t n_fds)
{
	struct log_request *request = data;
	struct inst *inst = strmap_get(&request->core->instances, request->name);
	struct err err = { 0 };

	if (!answer && inst) /* the monitor ended while it was asked: its log is complete now */
		answer_from_file(inst, request->type, request->done, request->data);
	else if (monitor_answer_err(answer, type, &err) < 0)
		request->done(request->data, -EBADF, &err);
	else
		request->done(request->data, n_fds > 0 ? TAKE_FD(fds[0]) : -EBADF, NULL);
	free(request->name);
	free(request);
}

static void ask(struct inst *inst, enum msg_type type, console_log_fn *done, void *data)
{
	struct log_request *request = xmalloc(sizeof(*request));

	*request = (struct log_request){ .core = inst->core,
					 .name = xstrdup(inst->record->name),
					 .type = type,
					 .done = done,
					 .data = data };
	if (inst->conn && monitor_request(inst, type, NULL, NULL, 0, log_answered, request) == 0)
		return;
	answer_from_file(inst, type, done, data);
	free(request->name);
	free(request);
}

void console_log(struct inst *inst, console_log_fn *done, void *data)
{
	ask(inst, MSG_CONSOLE_LOG, done, data);
}

void console_clear(struct inst *inst, console_log_fn *done, void *data)
{
	ask(inst, MSG_CONSOLE_CLEAR, done, data);
}

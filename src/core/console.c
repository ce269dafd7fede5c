/* core/console.c - see console.h */
#include "core/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "aio/pump.h"
#include "base/mem.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/monitor_conn.h"
#include "core/op_streams.h"
#include "os/fd.h"
#include "spec/exec_control.h"

struct console {
	struct op *op;
	char *name; /* of the instance, which may go before we do */
	struct op_streams streams;
	struct msg attach; /* width, height, force */
	struct pump *pump;
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

static void on_control(void *data, const char *text, size_t len)
{
	struct console *console = data;
	struct inst *inst = find_inst(console);
	struct exec_control control;
	struct msg msg = { 0 };

	if (!inst || exec_control_parse(text, len, &control) < 0 ||
	    control.kind != EXEC_CONTROL_RESIZE)
		return;
	msg.width = control.width;
	msg.height = control.height;
	(void)monitor_request(inst, MSG_CONSOLE_RESIZE, &msg, NULL, 0, NULL, NULL);
}

static enum op_next step_await_client(struct op *op)
{
	struct console *console = op->args;

	return op_streams_await(&console->streams);
}

static void attached(void *data, const struct msg *answer, enum msg_type type, int *fds,
		     size_t n_fds)
{
	struct op *op = data;
	struct console *console = op->args;

	if (monitor_answer_err(answer, type, &op->err) == 0 && n_fds == 0)
		(void)err_kind(&op->err, ERR_INTERNAL, "the monitor sent no console");
	if (op->err.code == 0 && !console->over) { /* else the client has gone meanwhile */
		int fd = TAKE_FD(fds[0]);

		console->pump = pump_new(op->core->loop,
					 &(struct pump_config){ .from_fd = fd,
								.to_fd = fd,
								.handler = &pump_handlers,
								.data = console },
					 op_stream_take(&console->streams, "0"));
	}
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
	console->streams.data = console;
	op_stream_add(&console->streams, "control", true);
	op_stream_add(&console->streams, "0", true);
	op_add_resource(op, "instances", inst->record->name);
	op_add_table(op, &console_table);
	op_start(op);
	*ret_op = op;
	return 0;
}

/* ---- the log ---- */

struct log_request {
	console_log_fn *done;
	void *data;
};

static void log_answered(void *data, const struct msg *answer, enum msg_type type, int *fds,
			 size_t n_fds)
{
	struct log_request *request = data;
	struct err err = { 0 };

	if (monitor_answer_err(answer, type, &err) < 0)
		request->done(request->data, -EBADF, &err);
	else
		request->done(request->data, n_fds > 0 ? TAKE_FD(fds[0]) : -EBADF, NULL);
	free(request);
}

static bool ask_monitor(struct inst *inst, enum msg_type type, console_log_fn *done, void *data)
{
	struct log_request *request;

	if (!inst->conn)
		return false;
	request = xmalloc(sizeof(*request));
	*request = (struct log_request){ .done = done, .data = data };
	if (monitor_request(inst, type, NULL, NULL, 0, log_answered, request) == 0)
		return true;
	free(request);
	return false;
}

static char *log_path(const struct inst *inst)
{
	_cleanup_(freep) char *dir = inst_log_dir(inst);

	return xasprintf("%s/console.log", dir);
}

void console_log(struct inst *inst, console_log_fn *done, void *data)
{
	_cleanup_(freep) char *path = NULL;
	struct err err = { 0 };
	int fd;

	if (ask_monitor(inst, MSG_CONSOLE_LOG, done, data))
		return;
	path = log_path(inst);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		fd = fd_memfd_new("console", "", 0); /* it never ran */
	if (fd < 0)
		(void)err_set(&err, -errno, "open %s", path);
	done(data, fd, fd < 0 ? &err : NULL);
}

void console_clear(struct inst *inst, console_log_fn *done, void *data)
{
	_cleanup_(freep) char *path = NULL;
	struct err err = { 0 };

	if (ask_monitor(inst, MSG_CONSOLE_CLEAR, done, data))
		return;
	path = log_path(inst);
	if (truncate(path, 0) < 0 && errno != ENOENT)
		(void)err_set(&err, -errno, "empty %s", path);
	done(data, -EBADF, err.code < 0 ? &err : NULL);
}

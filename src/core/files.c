/* core/files.c - see files.h */
#include "core/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "aio/proc.h"
#include "aio/seqpkt.h"
#include "aio/timer.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/inst_events.h"
#include "core/monitor_conn.h"
#include "core/pool.h"
#include "os/fd.h"
#include "spec/daemon_config.h"
#include "spec/idrange.h"

enum {
	IDLE_TIMEOUT_MS = 5000 /* a client that has just closed is gone by then */
};

/* It is over when all three are: the start was answered, the status socket closed, no process. */
struct files_call {
	struct list node; /* in core->file_calls */
	struct core *core;
	struct inst *inst;		     /* NULL: forgotten */
	const struct files_handler *handler; /* NULL: cancelled */
	void *data;
	struct seqpkt *status;
	struct aio_proc *proc; /* of a stopped instance's server */
	bool awaits_answer;    /* of the monitor */
	bool stopped;	       /* the server is of a stopped instance */
	bool done;	       /* the last reply came */
	struct err err;
};

static void call_over(struct files_call *call)
{
	const struct files_handler *handler = call->handler;
	struct inst *inst = call->inst;

	if (call->awaits_answer || call->status || call->proc)
		return;
	list_remove(&call->node);
	if (!call->done && call->err.code == 0)
		(void)err_kind(&call->err, ERR_INTERNAL, "the file server ended unexpectedly");
	if (handler)
		handler->on_ended(call->data, call->err.code < 0 ? &call->err : NULL);
	free(call);
	if (inst)
		inst_check_await(inst);
}

static void on_reply(void *data, const void *bytes, size_t len, int *fds, size_t n_fds)
{
	struct files_call *call = data;
	struct files_reply reply = { 0 };

	(void)fds;
	(void)n_fds;
	if (wire_decode(&files_reply_schema, bytes, len, &reply, &call->err) == 0 && !call->done) {
		call->done = reply.done;
		if (reply.done && reply.code < 0)
			(void)err_kind(&call->err,
				       (enum err_kind)MIN(reply.kind, (uint32_t)ERR_CANCELLED),
				       "%s", reply.text ? reply.text : "failed without a reason");
		else if (!reply.done && call->handler)
			call->handler->on_found(call->data, &reply);
	}
	wire_free(&files_reply_schema, &reply);
}

static void on_status_closed(void *data, int code)
{
	struct files_call *call = data;

	(void)code;
	call->status = seqpkt_free(call->status);
	call_over(call);
}

static const struct seqpkt_handler status_handler = {
	.on_message = on_reply,
	.on_closed = on_status_closed,
};

static void on_exit_status(void *data, int wait_status)
{
	struct files_call *call = data;

	(void)wait_status; /* the last reply says it better */
	call->proc = aio_proc_free(call->proc);
	call_over(call);
}

static void on_started(void *data, const struct msg *answer, enum msg_type type, int *fds,
		       size_t n_fds)
{
	struct files_call *call = data;

	(void)fds;
	(void)n_fds;
	call->awaits_answer = false;
	if (!call->done)
		(void)monitor_answer_err(answer, type, &call->err);
	call_over(call);
}

/* ---- the start ---- */

static int start_inside(struct files_call *call, const struct files_request *request,
			const int fds[3], struct err *err)
{
	struct session_spec spec = { .files = *request };
	_cleanup_(fd_closep) int spec_fd = -EBADF, null_fd = -EBADF;
	struct buf bytes = { 0 };
	int sent[4], r;

	wire_encode(&session_spec_schema, &spec, &bytes);
	spec_fd = fd_memfd_new("files", bytes.data, bytes.len);
	buf_done(&bytes);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (spec_fd < 0 || null_fd < 0)
		return err_set(err, spec_fd < 0 ? spec_fd : -errno, "make the file request");
	sent[0] = spec_fd;
	for (int i = 0; i < 3; i++)
		sent[i + 1] = fds[i] < 0 ? null_fd : fds[i];
	r = monitor_request(call->inst, MSG_SESSION_START, NULL, sent, ARRAY_LEN(sent), on_started,
			    call);
	if (r < 0)
		return err_set(err, r, "ask the monitor");
	call->awaits_answer = true;
	return 0;
}

static int make_job(struct inst *inst, const struct files_request *request, struct err *err)
{
	struct core *core = inst->core;
	struct inst_spec spec = { 0 };
	struct buf bytes = { 0 };
	struct files_job job = {
		.request = *request,
		.place = core->dirs.runtime,
		/* as on disk ids begin at 0, any range shows them; a privileged one has none */
		.id_base = inst->record->id_base ? inst->record->id_base : core->config->idmap_base,
		.id_count = inst->record->id_base ? inst->record->id_count : IDRANGE_COUNT,
	};
	int r = pool_fill_root(core, inst->record, &spec, err);

	if (r == 0) {
		job.root_kind = spec.root_kind;
		job.root_path = spec.root_path;
		job.root_lower = spec.root_lower;
		wire_encode(&files_job_schema, &job, &bytes);
		r = fd_memfd_new("files", bytes.data, bytes.len);
		if (r < 0)
			(void)err_set(err, r, "make the file request");
	}
	buf_done(&bytes);
	wire_free(&inst_spec_schema, &spec);
	return r;
}

static int start_outside(struct files_call *call, const struct files_request *request,
			 const int fds[3], struct err *err)
{
	struct core *core = call->core;
	_cleanup_(freep) char *path = xasprintf("%s/sysctr-exec", core->dirs.helpers);
	const char *argv[] = { path, "files", NULL };
	_cleanup_(fd_closep) int job_fd = make_job(call->inst, request, err);

	if (job_fd < 0)
		return job_fd;
	call->stopped = true;
	return aio_proc_spawn(core->loop,
			      &(struct aio_proc_spec){
				      .program = path,
				      .argv = argv,
				      .fds = (int[]){ fds[0], fds[1], fds[2], job_fd },
				      .n_fds = 4,
			      },
			      on_exit_status, call, &call->proc, err);
}

int files_check(const struct inst *inst, struct err *err)
{
	int r = core_check_open(inst->core, err);

	if (r < 0 || (inst->state == INST_RUNNING && !inst->releasing))
		return r;
	if (inst->state == INST_STOPPED)
		return inst_check_free(inst, err);
	return err_kind(err, ERR_CONFLICT, "instance \"%s\" is %s: its files are not at hand",
			inst->record->name,
			inst->state == INST_FROZEN ? "frozen" : "just changing its state");
}

static int start(struct files_call *call, const struct files_request *request, const int fds[3],
		 struct err *err)
{
	int r = files_check(call->inst, err);

	if (r < 0)
		return r;
	return call->inst->state == INST_RUNNING ? start_inside(call, request, fds, err)
						 : start_outside(call, request, fds, err);
}

int files_pipe(bool we_read, int *ret_ours, int *ret_theirs)
{
	int fds[2], r = fd_pipe(fds);

	if (r < 0)
		return r;
	*ret_ours = fds[we_read ? 0 : 1];
	*ret_theirs = fds[we_read ? 1 : 0];
	(void)fd_set_nonblock(*ret_ours); /* cannot fail on a pipe */
	return 0;
}

int files_call_new(struct inst *inst, const struct files_request *request, int in_fd, int out_fd,
		   const struct files_handler *handler, void *data, struct files_call **ret_call,
		   struct err *err)
{
	struct files_call *call;
	_cleanup_(fd_closep) int child_end = -EBADF;
	int pair[2], r = seqpkt_pair(pair);

	if (r < 0)
		return err_set(err, r, "make a status channel");
	child_end = pair[1];
	call = xcalloc(1, sizeof(*call));
	call->core = inst->core;
	call->inst = inst;
	call->handler = handler;
	call->data = data;
	call->status =
		seqpkt_new(inst->core->loop, pair[0], FILES_REPLY_BYTES_MAX, &status_handler, call);
	list_append(&inst->core->file_calls, &call->node);
	r = start(call, request, (int[]){ in_fd, out_fd, child_end }, err);
	if (r < 0) {
		list_remove(&call->node);
		(void)seqpkt_free(call->status);
		free(call);
		return r;
	}
	*ret_call = call;
	return 0;
}

void files_call_whole(struct files_call *call)
{
	if (call->status)
		(void)seqpkt_send(call->status, "w", 1, NULL, 0);
}

struct files_call *files_call_cancel(struct files_call *call)
{
	if (!call)
		return NULL;
	call->handler = NULL;
	call->status = seqpkt_free(call->status);
	call_over(call);
	return NULL;
}

/* ---- who waits for the volume ---- */

static bool is_idle(struct inst *inst, struct op *op)
{
	struct list *node;

	list_for_each(node, &inst->core->file_calls) {
		const struct files_call *call = list_entry(node, struct files_call, node);

		if (call->inst != inst || !call->stopped)
			continue;
		if (aio_timer_armed(&inst->files_timer))
			return false;
		(void)err_kind(&op->err, ERR_CONFLICT,
			       "instance \"%s\": its files are being copied or mounted; try again "
			       "when that is over",
			       inst->record->name);
		return true;
	}
	aio_timer_stop(&inst->files_timer);
	return true;
}

static void on_idle_timeout(void *data)
{
	inst_check_await(data);
}

enum op_next files_step_await_idle(struct op *op)
{
	aio_timer_start(op->core->loop, &op->inst->files_timer,
			(uint64_t)IDLE_TIMEOUT_MS * NS_PER_MS, on_idle_timeout, op->inst);
	return inst_await(op, is_idle);
}

void files_forget_inst(struct inst *inst)
{
	struct list *node;

	aio_timer_stop(&inst->files_timer);
	list_for_each(node, &inst->core->file_calls) {
		struct files_call *call = list_entry(node, struct files_call, node);

		if (call->inst == inst)
			call->inst = NULL;
	}
}

void files_done(struct core *core)
{
	struct list *node, *tmp;

	list_for_each_safe(node, tmp, &core->file_calls) {
		struct files_call *call = list_entry(node, struct files_call, node);
		struct err err = { 0 };

		list_remove(&call->node);
		list_init(&call->node);
		(void)err_kind(&err, ERR_UNAVAILABLE, "sysctrd is shutting down");
		if (call->handler)
			call->handler->on_ended(call->data, &err);
		call->handler = NULL;
		call->inst = NULL;
		call->status = seqpkt_free(call->status);
		call->proc = aio_proc_free(call->proc);
		call_over(call);
	}
}

/* core/monitor_conn.c - see monitor_conn.h */
#include "core/monitor_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aio/proc.h"
#include "aio/seqpkt.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/core.h"
#include "core/inst.h"
#include "core/inst_events.h"
#include "os/fd.h"

struct request {
	struct list node;
	uint32_t serial;
	monitor_answer_fn *answer;
	void *data;
};

struct monitor_conn {
	struct inst *inst;
	struct seqpkt *socket;
	struct aio_proc *proc; /* while we are its parent */
	uint32_t serial;
	struct list requests;
};

struct header {
	uint32_t type;
	uint32_t serial;
};

static void answer_request(struct request *request, const struct msg *msg, enum msg_type type,
			   int *fds, size_t n_fds)
{
	list_remove(&request->node);
	if (request->answer)
		request->answer(request->data, msg, type, fds, n_fds);
	free(request);
}

static struct request *find_request(struct monitor_conn *conn, uint32_t serial)
{
	struct list *node;

	list_for_each(node, &conn->requests)
		if (list_entry(node, struct request, node)->serial == serial)
			return list_entry(node, struct request, node);
	return NULL;
}

static void on_message(void *data, const void *bytes, size_t len, int *fds, size_t n_fds)
{
	struct monitor_conn *conn = data;
	struct log_keys keys = { .inst = conn->inst->record->name };
	struct err err = { 0 };
	struct header header;
	struct msg msg = { 0 };
	struct request *request;

	if (len < sizeof(header))
		return;
	memcpy(&header, bytes, sizeof(header));
	if (wire_decode(&msg_schema, (const char *)bytes + sizeof(header), len - sizeof(header),
			&msg, &err) < 0) {
		log_error(keys, "message %s of its monitor: %s",
			  msg_type_name((enum msg_type)header.type), err.msg);
	} else if (header.serial == 0) {
		log_trace(keys, "event %s", msg_type_name((enum msg_type)header.type));
		inst_on_event(conn->inst, (enum msg_type)header.type, &msg);
	} else {
		request = find_request(conn, header.serial);
		if (request)
			answer_request(request, &msg, (enum msg_type)header.type, fds, n_fds);
	}
	wire_free(&msg_schema, &msg);
}

static void on_closed(void *data, int code)
{
	struct monitor_conn *conn = data;
	struct inst *inst = conn->inst;

	log_debug(((struct log_keys){ .inst = inst->record->name }),
		  "monitor connection ended code=%d", code);
	monitor_conn_close(inst);
	inst_on_monitor_gone(inst);
}

static const struct seqpkt_handler conn_handler = {
	.on_message = on_message,
	.on_closed = on_closed,
};

static void attach(struct inst *inst, int fd)
{
	struct monitor_conn *conn = xcalloc(1, sizeof(*conn));

	conn->inst = inst;
	list_init(&conn->requests);
	conn->socket =
		seqpkt_new(inst->core->loop, fd, (size_t)MSG_BYTES_MAX * 4, &conn_handler, conn);
	inst->conn = conn;
}

static void on_exit_status(void *data, int wait_status)
{
	struct monitor_conn *conn = data;
	char words[AIO_STATUS_LEN];

	log_debug(((struct log_keys){ .inst = conn->inst->record->name }), "monitor %s",
		  aio_status_text(words, wait_status));
	conn->proc = aio_proc_free(conn->proc);
}

static int spawn(struct inst *inst, int spec_fd, int ctl_fd, struct err *err)
{
	_cleanup_(freep) char *path = xasprintf("%s/sysctr-monitor", inst->core->dirs.helpers);
	const char *argv[] = { path, inst->record->name, NULL };
	struct aio_proc_spec proc = {
		.program = path,
		.argv = argv,
		.fds = (int[]){ -EBADF, -EBADF, STDERR_FILENO, spec_fd, ctl_fd },
		.n_fds = 5,
	};

	return aio_proc_spawn(inst->core->loop, &proc, on_exit_status, inst->conn,
			      &inst->conn->proc, err);
}

static int spec_memfd(const struct inst_spec *spec, struct err *err)
{
	struct buf bytes = { 0 };
	int fd;

	wire_encode(&inst_spec_schema, spec, &bytes);
	fd = fd_memfd_new("spec", bytes.data, bytes.len);
	buf_done(&bytes);
	return fd < 0 ? err_set(err, fd, "make spec memory file") : fd;
}

int monitor_spawn(struct inst *inst, const struct inst_spec *spec, struct err *err)
{
	_cleanup_(fd_closep) int spec_fd = -EBADF, child_end = -EBADF;
	int pair[2], r;

	spec_fd = spec_memfd(spec, err);
	if (spec_fd < 0)
		return spec_fd;
	r = seqpkt_pair(pair);
	if (r < 0)
		return err_set(err, r, "make control connection");
	child_end = pair[1];
	attach(inst, pair[0]);
	r = spawn(inst, spec_fd, child_end, err);
	if (r < 0)
		monitor_conn_close(inst);
	return r;
}

int monitor_connect(struct inst *inst, struct err *err)
{
	_cleanup_(freep) char *dir = inst_runtime_dir(inst);
	_cleanup_(freep) char *path = xasprintf("%s/ctl.sock", dir);
	int fd, r = seqpkt_connect(path, &fd);

	if (r < 0)
		return err_set(err, r, "connect to the monitor at %s", path);
	attach(inst, fd);
	return 0;
}

int monitor_request(struct inst *inst, enum msg_type type, const struct msg *msg, const int *fds,
		    size_t n_fds, monitor_answer_fn *answer, void *data)
{
	struct monitor_conn *conn = inst->conn;
	struct header header = { .type = (uint32_t)type };
	struct request *request;
	struct buf bytes = { 0 };
	int r;

	if (!conn)
		return -ENOTCONN;
	if (++conn->serial == 0)
		conn->serial = 1;
	header.serial = conn->serial;
	buf_add(&bytes, &header, sizeof(header));
	if (msg)
		wire_encode(&msg_schema, msg, &bytes);
	r = seqpkt_send(conn->socket, bytes.data, bytes.len, fds, n_fds);
	buf_done(&bytes);
	if (r < 0)
		return r;
	request = xcalloc(1, sizeof(*request));
	request->serial = header.serial;
	request->answer = answer;
	request->data = data;
	list_append(&conn->requests, &request->node);
	return 0;
}

int monitor_request_spec(struct inst *inst, const struct inst_spec *spec, monitor_answer_fn *answer,
			 void *data, struct err *err)
{
	_cleanup_(fd_closep) int fd = spec_memfd(spec, err);
	int r;

	if (fd < 0)
		return fd;
	r = monitor_request(inst, MSG_APPLY_SPEC, NULL, &fd, 1, answer, data);
	return r < 0 ? err_set(err, r, "hand the new configuration to the monitor") : 0;
}

void monitor_conn_close(struct inst *inst)
{
	struct monitor_conn *conn = inst->conn;

	if (!conn)
		return;
	inst->conn = NULL;
	while (!list_empty(&conn->requests))
		answer_request(list_entry(conn->requests.next, struct request, node), NULL,
			       MSG_NONE, NULL, 0);
	(void)seqpkt_free(conn->socket);
	(void)aio_proc_free(conn->proc);
	free(conn);
}

int monitor_answer_err(const struct msg *answer, enum msg_type type, struct err *err)
{
	if (!answer)
		return err_kind(err, ERR_INTERNAL, "the monitor went away");
	if (type != MSG_ERROR)
		return 0;
	(void)err_kind(err, (enum err_kind)MIN(answer->kind, (uint32_t)ERR_CANCELLED), "%s",
		       answer->text ? answer->text : strerror(-answer->code));
	if (answer->code < 0)
		err->code = answer->code;
	return err->code;
}

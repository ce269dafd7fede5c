/* files/serve.c - see serve.h */
#include "files/serve.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "os/fd.h"
#include "os/sock.h"

typedef int request_fn(struct files_server *server, struct err *err);

static request_fn *const requests[] = {
	[FILES_NONE] = NULL,	       [FILES_STAT] = files_stat,   [FILES_GET] = files_get,
	[FILES_PUT] = files_put,       [FILES_MKDIR] = files_mkdir, [FILES_SYMLINK] = files_symlink,
	[FILES_REMOVE] = files_remove, [FILES_SFTP] = files_sftp,   [FILES_PUSH] = files_push,
	[FILES_PULL] = files_pull,
};
static_assert(ARRAY_LEN(requests) == FILES_OP_MAX, "one row per request");

int files_send_reply(const struct files_server *server, const struct files_reply *reply)
{
	struct buf bytes = { 0 };
	struct iovec iov;
	int r;

	wire_encode(&files_reply_schema, reply, &bytes);
	iov = (struct iovec){ .iov_base = bytes.data, .iov_len = bytes.len };
	r = sock_send(server->status_fd, &iov, 1, NULL, 0);
	buf_done(&bytes);
	return r;
}

/* The streams may come from an event loop: here they are waited for. */
static void set_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && (flags & O_NONBLOCK))
		(void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

int files_serve(struct files_server *server)
{
	const struct files_request *request = server->request;
	struct files_reply reply = { .done = true };
	struct err err = { 0 };
	int r;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(0);
	set_blocking(server->in_fd);
	set_blocking(server->out_fd);
	if (request->op >= FILES_OP_MAX || !requests[request->op] || !request->path)
		r = err_kind(&err, ERR_UNSUPPORTED, "unknown file request %u", request->op);
	else
		r = requests[request->op](server, &err);
	if (r < 0) {
		reply.code = r;
		reply.kind = err.kind;
		reply.text = (char *)err_text(&err, r);
	}
	(void)files_send_reply(server, &reply); /* else nobody is there to be told */
	return r < 0 ? 1 : 0;
}

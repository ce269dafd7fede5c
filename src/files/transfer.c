/*
 * files/transfer.c - the server's side of a tree stream: push into the instance, pull out of it
 *
 * Layer: files. Process: sysctr-exec.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "files/place.h"
#include "files/serve.h"
#include "files/tree.h"
#include "os/fd.h"

enum {
	/* kept until the end, so that a client need not read while it writes; fits into a pipe */
	FAILURES_BYTES = 32 * 1024
};

struct push {
	struct stream_out back;
	bool full; /* further failures are only counted */
};

static void push_failed(void *data, const char *path, const char *text)
{
	struct push *push = data;
	struct tree_failure failure = { .path = (char *)path, .text = (char *)text };

	push->full |= push->back.buf.len + strlen(path) + strlen(text) + 64 > FAILURES_BYTES;
	if (!push->full)
		(void)stream_put_object(&push->back, FRAME_FAIL, &tree_failure_schema, &failure);
}

/* The directory that gets the entries, and what the first one is called there ("" as it was). */
static int find_target(struct files_server *server, char ret_name[NAME_MAX + 1], struct err *err)
{
	const struct files_request *request = server->request;
	struct place_owner owner = { request->uid == FILES_NO_ID ? 0 : request->uid,
				     request->gid == FILES_NO_ID ? 0 : request->gid };
	int fd = place_open(server->root_fd, request->path, O_PATH | O_DIRECTORY, 0);
	int parent_fd;

	ret_name[0] = '\0';
	if (fd == -ENOENT && request->into && request->parents)
		fd = place_make_dirs(server->root_fd, request->path, &owner, 0755);
	if (fd >= 0 || request->into)
		return fd < 0 ? place_err(err, fd, request->path) : fd;
	if (fd != -ENOENT && fd != -ENOTDIR)
		return place_err(err, fd, request->path);
	parent_fd = place_parent(server->root_fd, request->path, ret_name);
	if (parent_fd == -ENOENT && request->parents) {
		_cleanup_(freep) char *parent = xstrdup(request->path);
		char *slash = strrchr(parent, '/');

		*(slash ? slash : parent) = '\0';
		parent_fd = place_make_dirs(server->root_fd, parent, &owner, 0755);
	}
	return parent_fd < 0 ? place_err(err, parent_fd, request->path) : parent_fd;
}

int files_push(struct files_server *server, struct err *err)
{
	const struct files_request *request = server->request;
	struct push push = { .back.fd = server->out_fd };
	char name[NAME_MAX + 1];
	_cleanup_(fd_closep) int dir_fd = find_target(server, name, err);
	struct tree_receive_plan plan = {
		.dir_fd = dir_fd,
		.top_name = *name ? name : NULL,
		.is_target = *name,
		.archive = request->archive,
		.fixed_modes = true,
		.uid = request->uid,
		.gid = request->gid,
		.mode = request->mode,
		.watch = { .failed = push_failed, .data = &push },
	};
	struct tree_count count = { 0 };
	struct tree_result theirs = { 0 };
	struct stream_in in;
	int r = MIN(dir_fd, 0);

	stream_in_init(&in, server->in_fd);
	if (r == 0)
		r = tree_receive(&in, &plan, &count, &theirs, err);
	(void)tree_send_done(&push.back, &count, r, err);
	wire_free(&tree_result_schema, &theirs);
	stream_in_done(&in);
	buf_done(&push.back.buf);
	return r;
}

int files_pull(struct files_server *server, struct err *err)
{
	const struct files_request *request = server->request;
	struct stream_out out = { .fd = server->out_fd };
	struct tree_send_plan plan = {
		.recursive = request->recursive,
		.archive = request->archive,
		.follow = (enum files_follow)request->follow,
	};
	struct tree_count count = { 0 };
	char name[NAME_MAX + 1];
	_cleanup_(fd_closep) int parent_fd = place_parent(server->root_fd, request->path, name);
	struct stat st;
	int r = MIN(parent_fd, 0);

	if (r == -EISDIR) { /* the root, or something that ends in ".." */
		parent_fd = place_open(server->root_fd, request->path, O_PATH | O_DIRECTORY, 0);
		r = MIN(parent_fd, 0);
		name[0] = '.';
		name[1] = '\0';
	}
	if (r == 0 && fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	if (r < 0)
		(void)place_err(err, r, request->path);
	else
		r = tree_send(&out, &plan, parent_fd, name, name, &count);
	(void)tree_send_done(&out, &count, r, err);
	buf_done(&out.buf);
	return r;
}

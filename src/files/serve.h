/*
 * files/serve.h - a file server: one request, or one stream, on the root of an instance
 *
 * Layer: files. Process: sysctr-exec, as the root of the instance's user namespace with its root
 * as "/". Blocks.
 */
#pragma once

#include "base/err.h"
#include "spec/files.h"

struct files_server {
	int root_fd;
	int in_fd, out_fd; /* data */
	int status_fd;
	const struct files_request *request;
};

/* Serve and say on the status socket how it ended. Returns: exit status. */
int files_serve(struct files_server *server);

/* Send @reply. Returns: 0 or -errno (nobody listens any more). */
int files_send_reply(const struct files_server *server, const struct files_reply *reply);

/* The requests; each returns 0 or -errno with *@err set. */
int files_stat(struct files_server *server, struct err *err);
int files_get(struct files_server *server, struct err *err);
int files_put(struct files_server *server, struct err *err);
int files_mkdir(struct files_server *server, struct err *err);
int files_symlink(struct files_server *server, struct err *err);
int files_remove(struct files_server *server, struct err *err);
int files_sftp(struct files_server *server, struct err *err);
int files_push(struct files_server *server, struct err *err);
int files_pull(struct files_server *server, struct err *err);

/*
 * aio/fdsession.h - "Upgrade: sysctr-fds": the client hands over its descriptors (aio, sysctrd)
 *
 * After the 101 the client sends one byte with 0..3 descriptors (its 0, 1, 2) by SCM_RIGHTS. Then
 * both sides send lines of text (JSON by their users), each ended by a newline, with optional
 * descriptors from our side.
 *
 *   F1  on_closed comes once and last, not after fdsession_free().
 */
#pragma once

#include <stddef.h>

#include "aio/http.h"
#include "base/err.h"

#define FDSESSION_PROTOCOL "sysctr-fds"

enum {
	FDSESSION_FDS_MAX = 3,
	FDSESSION_LINE_MAX = 64 * 1024,
	FDSESSION_QUEUE_MAX = 1024 * 1024
};

struct fdsession;

struct fdsession_handler {
	/*
	 * The descriptors are here; whoever keeps one writes -EBADF over it (TAKE_FD). The session
	 * is the callee's from here on.
	 */
	void (*on_fds)(void *data, struct fdsession *session, int *fds, size_t n_fds);
	void (*on_line)(void *data, const char *line); /* without its newline */
	/* After on_fds: to be freed by its owner. Before: the client never came. */
	void (*on_closed)(void *data);
};

/* Whether @req asks for this upgrade. */
bool fdsession_wanted(const struct http_req *req);

/* Answers @req. */
void fdsession_upgrade(struct http_req *req, const struct fdsession_handler *handler, void *data);

/* @line without newline; @fd: sent with it, borrowed, negative: none. Errors: -EPIPE, -ENOBUFS. */
int fdsession_send(struct fdsession *session, const char *line, int fd);

/* Close once all lines are out; on_closed follows. */
void fdsession_close(struct fdsession *session);
struct fdsession *fdsession_free(struct fdsession *session); /* cuts; returns NULL */

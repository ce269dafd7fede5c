/*
 * monitor/session_keep.h - a session that goes on without sysctrd, and output that is recorded
 *
 * Layer: monitor. Never blocks, allocates nothing. sysctrd carries the bytes of clients that speak
 * WebSocket; the monitor has copies of its ends of the pipes, so that its death ends no command.
 *
 *   Q1  While sysctrd lives nothing is read here, unless the session is recorded.
 *   Q2  A recorded stream ends at its limit: the pipe is closed, whoever writes on gets SIGPIPE.
 *   Q3  What nobody will ever read is read and dropped, so that a command is not held up.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

enum {
	KEEP_STREAMS = 2,		    /* standard output, standard error */
	KEEP_RECORD_MAX = 64 * 1024 * 1024, /* bytes of one recorded stream */
};

struct keep_stream {
	int from_fd;   /* our end of the pipe; -EBADF: none, or ended */
	int to_fd;     /* the file it is recorded in; -EBADF: dropped */
	uint64_t left; /* bytes that the file may still get */
	bool watched;
};

struct keep {
	char op[UUID_LEN]; /* sysctrd's operation; "": the session is not kept */
	bool record;
	int epoll_fd;	  /* borrowed; what is watched comes with @watch_data */
	void *watch_data; /* borrowed */
	struct keep_stream streams[KEEP_STREAMS];
};

void keep_init(struct keep *keep);

/* Close everything. */
void keep_done(struct keep *keep);

/*
 * Prepare to keep the session that will belong to the operation @op.
 *
 * @fds: taken, set to -EBADF. Recorded: pipe and file of each stream; else the pipe of each stream,
 * or none at all (a terminal, or no streams).
 * Errors: -EINVAL (no uuid, another number of descriptors), those of fcntl(2).
 */
int keep_prepare(struct keep *keep, const char *op, bool record, int *fds, size_t n_fds);

/*
 * The session begins: @keep gets all that @prepared has, and is watched from now on.
 * Errors: those of epoll_ctl(2); both are empty then.
 */
int keep_begin(struct keep *keep, struct keep *prepared, int epoll_fd, void *watch_data);

/*
 * sysctrd is gone: from now on nobody but us reads. @master_fd: of a terminal, borrowed, else
 * negative; it gets the end of file that a pipe gets by itself (Ctrl-D).
 */
void keep_alone(struct keep *keep, int master_fd);

/* Move or drop what is there. Call it when something watched is readable. */
void keep_move(struct keep *keep);

/* Nobody reads stream @index (0 output, 1 errors) any more: its writer is to get SIGPIPE. */
void keep_release(struct keep *keep, size_t index);

/* Whether the session has an operation that waits for its end. */
bool keep_is_set(const struct keep *keep);

/* Whether output is still being recorded. */
bool keep_is_recording(const struct keep *keep);

/*
 * monitor/sync.h - what monitor and container say to each other between clone and exec
 *
 *   monitor                         child
 *      ── IDS ───────────────────────►   the id maps are written
 *      ── ROOT + mount ──────────────►   its root, detached
 *      ◄─────────── CONSOLE + master ──
 *      ◄───────────────────── PIVOTED ──   devices can be plugged in
 *      ── GO ────────────────────────►   nics and limits are there
 *      ◄───────────── EXEC + listener ──   nothing can fail any more but exec itself
 *      ◄────────── FAILED or nothing ──   then end of file: exec closed the socket
 *
 * Layer: monitor. A SEQPACKET pair; allocates nothing.
 */
#pragma once

#include "base/err.h"

enum sync_kind {
	SYNC_IDS,
	SYNC_ROOT,
	SYNC_CONSOLE,
	SYNC_PIVOTED,
	SYNC_GO,
	SYNC_EXEC,
	SYNC_FAILED,
	SYNC_KIND_MAX
};
const char *sync_kind_name(enum sync_kind kind);

struct sync_msg {
	enum sync_kind kind;
	struct err err; /* SYNC_FAILED: the phase's name is in its text */
};

/* @fd: goes along; -EBADF: none. @err: SYNC_FAILED only, else NULL. */
int sync_send(int sync_fd, enum sync_kind kind, int fd, const struct err *err);

/*
 * Wait for the next message. *@ret_fd: what came along, the caller's, or -EBADF.
 * Returns: 1, 0 at end of file, -ETIMEDOUT, -EBADMSG.
 */
int sync_recv(int sync_fd, int timeout_ms, struct sync_msg *ret_msg, int *ret_fd);

/* In the child: wait for @kind of the monitor, which lives or has closed the socket. */
int sync_expect(int sync_fd, enum sync_kind kind, int *ret_fd);

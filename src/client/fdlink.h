/*
 * client/fdlink.h - "Upgrade: sysctr-fds": descriptors to the daemon, lines of text both ways
 *
 * After the 101 the client sends one byte with up to three descriptors. Then either side sends
 * lines; the daemon's may bring one descriptor each (the master of a pty, a link).
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"

struct client;
struct client_reply;
struct fdlink;

enum {
	FDLINK_SEND_MAX = 3,
	FDLINK_KEEP_MAX = 4 /* received and not taken yet; more are closed */
};

/* Upgrade GET @target and hand over @fds (borrowed). */
int fdlink_open(const struct client *client, const char *target, const int *fds, size_t n_fds,
		struct fdlink **ret_link, struct err *err);

/* What is started by the request that opens the link. */
struct fdlink_start {
	const char *target;
	const json_t *body;
	struct client_reply *reply; /* as of client_upgrade() */
};

/* The same by POST: one exchange instead of two. Returns: as client_upgrade(); 1: there is no link. */
int fdlink_post(const struct client *client, const struct fdlink_start *start, const int *fds,
		size_t n_fds, struct fdlink **ret_link, struct err *err);

int fdlink_fd(const struct fdlink *link); /* to poll for reading */

/* @line without its newline. Returns: 0 or -errno (-EPIPE: the daemon is gone). */
int fdlink_send(struct fdlink *link, const char *line);

/*
 * Read what is there. Returns: 0, 1 at the end, -errno. Then fdlink_line() gives the lines, until
 * NULL; each is the caller's.
 */
int fdlink_process(struct fdlink *link);
char *fdlink_line(struct fdlink *link);

/* The descriptor that came first of those not taken, owned by the caller; -EBADF for none. */
int fdlink_take_fd(struct fdlink *link);
struct fdlink *fdlink_free(struct fdlink *link); /* returns NULL */

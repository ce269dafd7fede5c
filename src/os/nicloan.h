/*
 * os/nicloan.h - an interface of the host is lent to a container, and comes back as it was
 *
 * Layer os; the monitor lends and takes back, sysctrd takes back what a killed monitor left. Blocks
 * for some netlink round trips. What it was is a file "loan.<name>" in a directory of ours.
 *
 *   NL1  The file is written before the interface moves and goes when it is back: whoever finds one
 *        can finish the job, however little is left of who began it.
 *   NL2  Nothing that a guest made or named comes to the host: its names are removed first, and an
 *        interface with a permanent address is known by that.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct nicloan {
	const char *name;   /* on the host */
	const char *inner;  /* inside */
	const uint8_t *mac; /* inside; NULL: its own */
	uint32_t mtu;	    /* inside; 0: its own */
	pid_t pid;	    /* in the container's network namespace */
	int netns_fd;
	int dir_fd; /* of the file */
};

/*
 * Errors: ERR_INVALID when the host has no such interface; ERR_CONFLICT when it is in use: with an
 * address, the default route, or as a port. After a failure it is where and as it was.
 */
int nicloan_give(const struct nicloan *loan, struct err *err);

/*
 * Nothing lent under @name is success. @netns_fd -EBADF: look on the host only, where the kernel
 * brings what has no namespace any more.
 * Errors: -ENODEV when it is in neither place, and the file stays.
 */
int nicloan_take_back(int dir_fd, const char *name, int netns_fd, struct err *err);

/* Whether something is lent under @name. */
bool nicloan_is_out(int dir_fd, const char *name);

/* For good: it was deleted inside. */
void nicloan_forget(int dir_fd, const char *name);

/*
 * Take back all that is lent by files of @dir_fd, from processes that still live. Returns the first
 * failure; files that are left are removed.
 */
int nicloan_rescue(int dir_fd, struct err *err);

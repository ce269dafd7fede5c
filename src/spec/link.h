/*
 * spec/link.h - what a session's client and sysctr-monitor say to each other directly
 *
 * A SOCK_SEQPACKET pair: one datagram is one struct link_line. The link outlives sysctrd, which has
 * handed it on; closing it ends the session. Append-only, as a client may be newer than a monitor;
 * both are of one host and one byte order.
 */
#pragma once

#include <stdint.h>

enum link_kind {
	LINK_RESIZE = 1, /* to the monitor: a columns, b rows */
	LINK_SIGNAL,	 /* to the monitor: a is its number */
	LINK_EXIT,	 /* to the client, the last one: a is the wait status */
	LINK_KIND_MAX
};

struct link_line {
	uint32_t kind; /* enum link_kind; an unknown one is ignored */
	uint32_t a, b;
};

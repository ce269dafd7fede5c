/*
 * monitor/proxy_relay.h - the loop of a proxy device: connections and datagrams to the other side
 *
 * Layer: monitor, in the process of one proxy device; its parent has prepared everything that needs
 * rights. Streams go by splice(2) and are never copied; nobody's memory grows (a pipe each way).
 *
 *   R1  A half that ends is closed for writing on the other side; the rest flows on.
 *   R2  At RELAY_CONNS_MAX nothing more is accepted until one ends. Datagram clients that are silent
 *       for RELAY_IDLE_S are forgotten, the oldest one when there are too many.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "spec/proxy.h"

enum {
	RELAY_CONNS_MAX = 1024,
	RELAY_IDLE_S = 120
};

struct relay {
	const struct proxy_addr *connect;
	const int *listen_fds; /* one for each port of the listening address; non-blocking */
	size_t n_listen;
	bool datagrams;
	bool tell_origin; /* PROXY protocol */
	int control_fd;	  /* end of file: it is over */
};

/* Returns when it is over: 0 or -errno. */
int relay_run(const struct relay *relay);

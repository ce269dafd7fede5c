/*
 * cli/session_pump.h - bytes from one descriptor to another, for a poll loop (cli, sysctr)
 *
 * Flow control: one piece at a time; it is read when the one before has been written. Blocks only in
 * a target that is neither non-blocking nor takes what it was ready for (a stopped terminal).
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

struct detach;

struct session_pump {
	int from, to; /* from < 0: nothing to copy */
	bool own_from, own_to;
	char *bytes; /* NULL until the first piece */
	size_t done, len;
};

void session_pump_stop(struct session_pump *pump);
void session_pump_set_nonblock(int fd);

/* Fill two entries, for reading and for writing. */
void session_pump_prepare(const struct session_pump *pump, struct pollfd polls[2]);

/* @detach: what is typed goes through it; NULL: all goes on. Returns: false at the end. */
bool session_pump_run(struct session_pump *pump, const struct pollfd polls[2],
		      struct detach *detach);

/* Write what is there to read now, and no more. */
void session_pump_drain(struct session_pump *pump);

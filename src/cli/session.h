/*
 * cli/session.h - exec and console sessions: this terminal or these pipes, and a command elsewhere
 * (cli, sysctr)
 *
 * Both transports end in one poll loop each; the terminal is put back on every way out.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "cli/detach.h"

struct cli;
struct fdlink_start;

enum session_kind {
	SESSION_EXEC,
	SESSION_CONSOLE,
	SESSION_KIND_MAX
};

struct session_plan {
	enum session_kind kind;
	bool interactive; /* a pty there; else three pipes */
	bool raw;	  /* put this terminal into raw mode */
	bool no_stdin;
	struct detach detach;	 /* console: the keys that leave it */
	const char *greeting;	 /* said when what is typed goes there already; NULL: nothing */
	const json_t *operation; /* metadata.fds has the secrets */
	const char *id;		 /* of the operation */
	const struct fdlink_start *start; /* in place of these two: session_run_fds() makes it */
};

/*
 * Connect the WebSockets of the operation and copy until it ends; then the operation itself is to
 * be waited for. Returns: 0, 1 when the user detached, -errno.
 */
int session_run_ws(struct cli *cli, const struct session_plan *plan, struct err *err);

/*
 * The same by handing descriptors over ("Upgrade: sysctr-fds"); needs secret "fds". Once it runs,
 * the session goes on without the daemon.
 *
 * @ret_status: the command's exit status, 0 of a console; -1: ask the operation.
 * Returns: 0; 1 when the daemon began what plan->start says and knows no descriptors; -errno.
 */
int session_run_fds(struct cli *cli, const struct session_plan *plan, int *ret_status,
		    struct err *err);

/* Signals that a session forwards are blocked and read from the descriptor this returns. */
int session_signals_open(void);

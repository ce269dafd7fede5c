/* cli/wait.h - waiting for an instance to get somewhere (cli, sysctr) */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct cli;
struct cli_args;

enum wait_what {
	WAIT_IPV4,
	WAIT_IPV6,
	WAIT_READY,
	WAIT_RUNNING,
	WAIT_STOPPED,
	WAIT_MAX
};

struct wait_goal {
	enum wait_what what;
	uint64_t timeout_ns; /* 0: for ever */
};

extern const char *const wait_names[]; /* NULL-terminated */

/* "ipv4" with the --timeout of @args. Errors: ERR_INVALID with "did you mean". */
int wait_parse_goal(const char *word, const struct cli_args *args, struct wait_goal *ret_goal,
		    struct err *err);

/* Errors: -ETIMEDOUT as ERR_INTERNAL; ERR_CONFLICT when it stopped meanwhile. */
int wait_instance(struct cli *cli, const char *name, const struct wait_goal *goal, struct err *err);

/* cli/cmd_console.c: an exit status. */
int console_attach(struct cli *cli, const char *name, bool force, const char *escape);

/*
 * cli/cli.h - what every command is handed, how it reports, how it waits (cli, sysctr)
 *
 *   C1  Results go to standard output, everything else to standard error.
 *   C2  Whatever comes from the daemon or a container is cleaned before it reaches a terminal.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "cli/args.h"
#include "cli/command.h"
#include "client/client.h"

struct cli {
	struct client *client;
	bool quiet;
	bool colour;	  /* standard output may have escape sequences */
	bool tty_err;	  /* standard error is a terminal: progress may be drawn */
	int interrupt_fd; /* signalfd of SIGINT and SIGTERM while an operation runs, else -EBADF */
	bool dry_run;	  /* --dry-run: edits are only shown */
	bool cancelling;  /* the first Ctrl-C came */
	size_t progress_len; /* columns the progress line covers now */
};

/* "Error: <object>: <step>: <reason>" and a hint. Returns: CLI_FAILED, or CLI_USAGE. */
int cli_fail(struct cli *cli, const char *object, const char *step, const struct err *err);

/* The same with a hint of the caller's. */
int cli_fail_hint(struct cli *cli, const char *object, const char *step, const struct err *err,
		  const char *hint);

/* Wrong usage of the command of @args: the message and where to read more. Returns: CLI_USAGE. */
int cli_usage(const struct cli_args *args, const struct err *err);

/* A line on standard error unless --quiet. */
void cli_say(struct cli *cli, const char *format, ...) _printf_(2, 3);

/* Text to standard output, cleaned when that is a terminal. */
void cli_print(const char *text);

/*
 * A request that the daemon answers with an operation, waited for with progress and Ctrl-C.
 * @ret_operation: as operation_wait(); NULL to ignore. Also takes a plain answer.
 */
int cli_operate(struct cli *cli, const char *method, const char *path, const json_t *body,
		json_t **ret_operation, struct err *err);

/* The same for an operation under way. */
int cli_wait(struct cli *cli, const char *id, json_t **ret_operation, struct err *err);

/* Block SIGINT and SIGTERM and read them from cli->interrupt_fd; and back. May nest. */
void cli_catch_interrupts(struct cli *cli);

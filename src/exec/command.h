/*
 * exec/command.h - what is executed: argv, environment, and where the program is
 *
 * Layer exec; pure, but for the function that tries a candidate.
 */
#pragma once

#include <stddef.h>

#include "base/strmap.h"
#include "exec/passwd.h"
#include "spec/msg.h"

struct command {
	char *path; /* NULL: argv[0] is searched for in PATH */
	char **argv;
	char **envp;		 /* "KEY=VALUE" */
	const char *search_path; /* borrowed from envp; NULL: none */
};

/*
 * Make @ret_command from what was asked for.
 *
 * @base: "KEY=VALUE\0" strings of the container. @user: NULL when the uid is in no passwd.
 * What counts more comes later: our defaults, the container's, the user's, the session's.
 * Errors: -EINVAL for an empty argv (unless it is a login shell).
 */
int command_make(const struct session_spec *spec, const char *base, size_t base_len,
		 const struct passwd_entry *user, struct command *ret_command);
void command_done(struct command *command);

/*
 * Try @path, or each directory of the search path. @try_fn executes and so returns only -errno.
 *
 * Returns: -ENOENT when there is no such program, else the error of the first one that is there
 * (-EACCES, -ENOEXEC).
 */
int command_search(const struct command *command, int (*try_fn)(void *data, const char *path),
		   void *data);

/* What a shell's exit status is for the error of command_search(): 127 not found, else 126. */
int command_exit_status(int code);

/* cli/args.h - a command line taken apart by its command's option rows (cli, sysctr; pure) */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/command.h"

struct cli_args_value {
	const struct cli_option *option;
	const char *value; /* borrowed from argv; NULL for a switch */
};

struct cli_args {
	const struct cli_command *command;
	char **words; /* what is no option, NULL-terminated; owned array of borrowed strings */
	size_t n_words;
	struct cli_args_value *values; /* options in their order */
	size_t n_values;
};

/*
 * @argv: what follows the command's name, NULL-terminated. Options and words may be mixed; "--"
 * ends the options. --help stops the parsing. Errors: ERR_INVALID fit to be shown.
 */
int args_parse(const struct cli_command *command, char *const *argv, struct cli_args *ret_args,
	       struct err *err);
void args_done(struct cli_args *args);

bool args_has(const struct cli_args *args, const char *name);

/* The last value of option @name, NULL when it was not given. */
const char *args_get(const struct cli_args *args, const char *name);

/* All its values in order. Returns: owned array of borrowed strings, NULL for none. */
char **args_all(const struct cli_args *args, const char *name);

/* Word @i, NULL when there are fewer. */
const char *args_word(const struct cli_args *args, size_t i);

/* --@name as a whole number, @fallback when it was not given. Errors: ERR_INVALID. */
int args_number(const struct cli_args *args, const char *name, int64_t fallback,
		int64_t *ret_number, struct err *err);

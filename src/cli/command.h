/*
 * cli/command.h - one row per command, one row per option (cli, sysctr)
 *
 * Help, completion, the manual's command list and the parser all come from these rows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct cli;
struct cli_args;

/* Exit statuses. */
enum {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2
};

/* What completion offers in a place. */
enum cli_hint {
	HINT_NONE,
	HINT_INSTANCE,
	HINT_RUNNING,
	HINT_STOPPED,
	HINT_IMAGE, /* aliases and fingerprints */
	HINT_TEMPLATE,
	HINT_PROFILE,
	HINT_NETWORK,
	HINT_POOL,
	HINT_OPERATION,
	HINT_ALIAS,
	HINT_KEY,
	HINT_FORMAT,
	HINT_WAIT,
	HINT_FILE,
	HINT_SNAPSHOT, /* of the instance that the first word names */
	HINT_REMOTE,
	HINT_VOLUME,  /* a custom one of the pool that the first word names */
	HINT_PLANNED, /* instances, and POOL/VOLUME of custom ones with a schedule */
	HINT_MAX
};

struct cli_option {
	char letter; /* 0 for none */
	const char *name;
	const char *value; /* what it takes ("KEY=VALUE"), NULL for a switch */
	const char *text;
	enum cli_hint hint;
};

enum {
	CLI_OPTION_TABLES = 3,
	CLI_HINTS = 3,
	CLI_MANY = 1000
};

enum cli_flags {
	CLI_LITERAL_TAIL = 1 << 0, /* from the second word on nothing is an option (exec) */
	CLI_HIDDEN = 1 << 1,
	CLI_OFFLINE = 1 << 2, /* needs no daemon */
};

struct cli_command {
	const char *path;    /* "config set" */
	const char *aliases; /* other paths, separated by commas; NULL */
	const char *usage;   /* "NAME KEY[=VALUE]..."; "" for none */
	const char *summary; /* one line, no full stop */
	const char *text;    /* more for --help; NULL */
	const char *example;
	const struct cli_option *options[CLI_OPTION_TABLES]; /* tables ended by a NULL name */
	size_t min_words, max_words;
	enum cli_hint hints[CLI_HINTS]; /* per word; the last one repeats */
	unsigned int flags;
	int (*run)(struct cli *cli, const struct cli_args *args);
};

/* All commands, in the order of the help; NULL-terminated. */
extern const struct cli_command *const cli_commands[];

/* Options that every command takes; the last row has a NULL name. */
extern const struct cli_option cli_common_options[];

/*
 * The command with the longest path that begins @words. Returns: NULL for none; the number of
 * words its name took in *@ret_used.
 */
const struct cli_command *command_find(char *const *words, size_t *ret_used);

/* Whether @words begin some longer command path ("config"). @used: words that do. */
bool command_is_group(char *const *words, size_t *ret_used);

/* Whether @path or an alias of @command begins with the words @prefix ("" always). */
bool command_below(const struct cli_command *command, const char *prefix);

const struct cli_option *command_option(const struct cli_command *command, const char *name,
					size_t len);
const struct cli_option *command_option_letter(const struct cli_command *command, char letter);

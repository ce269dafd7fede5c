/* cli/main.c - sysctr: find the command, take its words apart, run it (cli, sysctr) */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "client/client.h"

static int print_help(const struct cli_command *command, const char *group)
{
	struct buf text = { 0 };

	if (command)
		help_command(command, &text);
	else
		help_group(group, &text);
	(void)fputs(buf_str(&text), stdout);
	buf_done(&text);
	return CLI_OK;
}

/* The nearest command to the first word that fits none. */
static int unknown_command(char **words)
{
	_cleanup_(strv_freep) char **paths = NULL;
	_cleanup_(strv_freep) char **group = NULL;
	char *typed, *prefix;
	size_t used = 0;
	const char *near;

	(void)command_is_group(words, &used);
	for (size_t i = 0; i <= used && words[i]; i++)
		strv_push(&group, words[i]);
	typed = strv_join((const char *const *)group, " ");
	if (words[used]) {
		group[used] = (free(group[used]), NULL);
	}
	prefix = strv_join((const char *const *)group, " ");
	for (size_t i = 0; cli_commands[i]; i++)
		strv_push(&paths, cli_commands[i]->path);
	near = str_nearest(typed, (const char *const *)paths);
	if (words[used])
		(void)fprintf(stderr, "Error: unknown command \"%s\"\n", typed);
	else
		(void)fprintf(stderr, "Error: \"%s\" needs one more word\n", typed);
	if (near)
		(void)fprintf(stderr, "Hint: did you mean \"sysctr %s\"?\n", near);
	else
		(void)fprintf(stderr, "Hint: see \"sysctr %s%s--help\"\n", prefix,
			      *prefix ? " " : "");
	free(typed);
	free(prefix);
	return CLI_USAGE;
}

static int no_command(char **words)
{
	_cleanup_(strv_freep) char **group = NULL;
	size_t used = 0, n = 0;
	char *prefix;

	while (words[n] && words[n][0] != '-')
		n++;
	if (words[n] && !streq(words[n], "--help") && !streq(words[n], "-h"))
		return unknown_command(words);
	(void)command_is_group(words, &used);
	if (used < n || (n > 0 && !words[n]))
		return unknown_command(words);
	for (size_t i = 0; i < n; i++)
		strv_push(&group, words[i]);
	prefix = strv_join((const char *const *)group, " ");
	(void)print_help(NULL, prefix);
	free(prefix);
	return words[n] ? CLI_OK : CLI_USAGE;
}

static int run_command(const struct cli_command *command, const struct cli_args *args)
{
	const char *socket_path = getenv("SYSCTR_SOCKET");
	const char *no_colour = getenv("NO_COLOR");
	struct cli cli = {
		.quiet = args_has(args, "quiet"),
		.tty_err = isatty(STDERR_FILENO),
		.colour = isatty(STDOUT_FILENO) && str_empty(no_colour),
		.dry_run = args_has(args, "dry-run"),
		.interrupt_fd = -EBADF,
	};
	int status;

	cli.client = client_new(str_empty(socket_path) ? "/run/sysctr/unix.socket" : socket_path);
	status = command->run(&cli, args);
	cli.client = client_free(cli.client);
	if (cli.interrupt_fd >= 0)
		(void)close(cli.interrupt_fd);
	if (fflush(stdout) != 0 && errno != EPIPE && status == CLI_OK) {
		(void)fprintf(stderr, "Error: write the result: %s\n", strerror(errno));
		status = CLI_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	const struct cli_command *command;
	struct cli_args args = { 0 };
	struct err err = { 0 };
	size_t used;
	int status;

	(void)argc;
	if (argv[0] && streq(argv[1], "--version"))
		argv[1] = (char *)"version";
	if (streq(argv[1], "help") && argv[2]) { /* "help config set" as "config set --help" */
		command = command_find(argv + 2, &used);
		return command ? print_help(command, NULL) : unknown_command(argv + 2);
	}
	command = command_find(argv + 1, &used);
	if (!command)
		return no_command(argv + 1);
	if (args_parse(command, argv + 1 + used, &args, &err) < 0) {
		args.command = command;
		return cli_usage(&args, &err);
	}
	status = args_has(&args, "help") ? print_help(command, NULL) : run_command(command, &args);
	args_done(&args);
	return status;
}

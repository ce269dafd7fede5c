/* cli/cmd_complete.c - __complete: what the shell may offer next, one word per line */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/object.h"
#include "cli/remotes.h"
#include "cli/table.h"
#include "cli/wait.h"
#include "codec/json.h"
#include "spec/daemon_config.h"
#include "spec/keys.h"
#include "spec/server_keys.h"

struct completion {
	struct cli *cli;
	const char *word; /* begun */
};

static void offer(const struct completion *c, const char *candidate)
{
	if (str_after(candidate, c->word))
		(void)printf("%s\n", candidate);
}

static void offer_all(const struct completion *c, const char *const *names)
{
	for (; names && *names; names++)
		offer(c, *names);
}

static void offer_remotes(const struct completion *c)
{
	struct remotes remotes = { 0 };

	if (remotes_load(&remotes, NULL) < 0)
		return;
	offer(c, REMOTE_LOCAL);
	strmap_for_each(entry, &remotes.urls) offer(c, entry->key);
	remotes_done(&remotes);
}

/* Names of a collection of the API; silent when the daemon does not run. */
static void offer_collection(const struct completion *c, const char *path)
{
	_cleanup_(json_decrefp) json_t *urls = NULL;
	const char *last;
	json_t *url;
	size_t i;

	if (client_get(c->cli->client, path, &urls, NULL) < 0)
		return;
	json_array_foreach(urls, i, url)
	{
		const char *text = json_string_value(url) ?: "";

		last = str_after(text, path);
		if (!last || *last != '/')
			last = strrchr(text, '/');
		if (last)
			offer(c, last + 1);
	}
}

static void offer_instances(const struct completion *c, const char *status)
{
	_cleanup_(json_decrefp) json_t *rows = NULL;
	json_t *row;
	size_t i;

	if (client_get(c->cli->client, "/1.0/instances?recursion=1", &rows, NULL) < 0)
		return;
	json_array_foreach(rows, i, row) if (streq(json_str(row, "status", ""), status))
		offer(c, json_str(row, "name", ""));
}

static void offer_planned(const struct completion *c)
{
	_cleanup_(json_decrefp) json_t *rows = NULL;
	json_t *row;
	size_t i;

	if (client_get(c->cli->client, "/1.0/snapshot-plan", &rows, NULL) < 0)
		return;
	json_array_foreach(rows, i, row)
		offer(c, json_str(row, "instance", json_str(row, "volume", "")));
}

static void offer_keys(const struct completion *c)
{
	for (size_t i = 0; i < instance_keys.n_rows; i++)
		if (!(instance_keys.rows[i].flags & KEY_ELSEWHERE))
			offer(c, instance_keys.rows[i].name);
}

static void offer_hint(const struct completion *c, enum cli_hint hint)
{
	static const char *const templates[] = { "alpine", "debian", "debian/bookworm",
						 "debian/trixie", NULL };

	switch (hint) {
	case HINT_INSTANCE:
		offer_collection(c, "/1.0/instances");
		break;
	case HINT_RUNNING:
		offer_instances(c, "Running");
		break;
	case HINT_STOPPED:
		offer_instances(c, "Stopped");
		break;
	case HINT_PLANNED:
		offer_planned(c);
		break;
	case HINT_TEMPLATE:
		offer_all(c, templates);
		offer_collection(c, "/1.0/images/aliases");
		break;
	case HINT_IMAGE:
	case HINT_ALIAS:
		offer_collection(c, "/1.0/images/aliases");
		break;
	case HINT_PROFILE:
		offer_collection(c, "/1.0/profiles");
		break;
	case HINT_NETWORK:
		offer_collection(c, "/1.0/networks");
		break;
	case HINT_POOL:
		offer_collection(c, "/1.0/storage-pools");
		break;
	case HINT_OPERATION:
		offer_collection(c, "/1.0/operations");
		break;
	case HINT_REMOTE:
		offer_remotes(c);
		break;
	case HINT_KEY:
		offer_keys(c);
		break;
	case HINT_FORMAT:
		offer_all(c, table_formats);
		break;
	case HINT_WAIT:
		offer_all(c, wait_names);
		break;
	case HINT_SNAPSHOT: /* need the first word: offer_of_first() */
	case HINT_VOLUME:
	case HINT_FILE: /* bash offers file names when nothing else comes */
	case HINT_NONE:
	case HINT_MAX:
		break;
	}
}

static void offer_options(const struct completion *c, const struct cli_option *table)
{
	for (; table && table->name; table++) {
		_cleanup_(freep) char *text = xasprintf("--%s", table->name);

		offer(c, text);
	}
}

/* The next words of all paths that begin with @words. */
static void offer_commands(const struct completion *c, char **words)
{
	_cleanup_(freep) char *prefix = strv_join((const char *const *)words, " ");
	_cleanup_(strv_freep) char **seen = NULL;

	for (size_t i = 0; cli_commands[i]; i++) {
		const char *rest = cli_commands[i]->path;
		_cleanup_(freep) char *next = NULL;

		if ((cli_commands[i]->flags & CLI_HIDDEN) ||
		    !command_below(cli_commands[i], prefix))
			continue;
		rest += strlen(prefix);
		rest += *rest == ' ';
		next = xstrndup(rest, strcspn(rest, " "));
		if (*next && !strv_contains((const char *const *)seen, next)) {
			strv_push(&seen, next);
			offer(c, next);
		}
	}
}

/* The option whose value comes next, after @last. */
static const struct cli_option *pending_option(const struct cli_command *command, const char *last)
{
	const struct cli_option *option = NULL;

	if (last && str_after(last, "--"))
		option = command_option(command, last + 2, strlen(last + 2));
	else if (last && last[0] == '-' && last[1])
		option = command_option_letter(command, last[strlen(last) - 1]);
	return option && option->value ? option : NULL;
}

/* How many of @words, all complete, are no options or their values. */
static size_t count_words(const struct cli_command *command, char *const *words)
{
	size_t n = 0;

	for (; *words; words++) {
		if ((*words)[0] != '-')
			n++;
		else if (pending_option(command, *words) && words[1])
			words++;
	}
	return n;
}

/* @format: the collection, of what the first of @words names. */
static void offer_of_first(const struct completion *c, char *const *words, const char *format)
{
	_cleanup_(freep) char *path = NULL;

	while (*words && (*words)[0] == '-')
		words++;
	if (!*words)
		return;
	path = client_path(format, *words);
	offer_collection(c, path);
}

static void complete_command(const struct completion *c, const struct cli_command *command,
			     char *const *words)
{
	size_t n = strv_len(words), at;
	const struct cli_option *option = pending_option(command, n ? words[n - 1] : NULL);

	if (option) {
		offer_hint(c, option->hint);
		return;
	}
	if (c->word[0] == '-') {
		for (size_t i = 0; i < CLI_OPTION_TABLES; i++)
			offer_options(c, command->options[i]);
		offer_options(c, cli_common_options);
		return;
	}
	at = count_words(command, words);
	if (at >= command->max_words)
		return;
	while (at > 0 && (at >= CLI_HINTS || command->hints[at] == HINT_NONE) &&
	       command->max_words == CLI_MANY)
		at--; /* the last hint repeats */
	if (at < CLI_HINTS && command->hints[at] == HINT_SNAPSHOT)
		offer_of_first(c, words, "/1.0/instances/%s/snapshots");
	else if (at < CLI_HINTS && command->hints[at] == HINT_VOLUME)
		offer_of_first(c, words, "/1.0/storage-pools/%s/volumes/custom");
	else if (at < CLI_HINTS)
		offer_hint(c, command->hints[at]);
}

/* Words: those before the cursor, the last one begun (maybe empty). */
static int run(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(strv_freep) char **before = NULL;
	struct completion c = { .cli = cli, .word = "" };
	const struct cli_command *command;
	size_t used = 0;

	for (size_t i = 0; i + 1 < args->n_words; i++)
		strv_push(&before, args->words[i]);
	if (args->n_words > 0)
		c.word = args->words[args->n_words - 1];
	command = command_find(before, &used);
	/* "snapshot" is both: a short form, and the begin of longer paths. */
	if (command && before[used] == NULL && command_is_group(before, &used))
		offer_commands(&c, before);
	if (command)
		complete_command(&c, command, before + used);
	else
		offer_commands(&c, before);
	return CLI_OK;
}

static int run_manual(struct cli *cli, const struct cli_args *args)
{
	struct buf text = { 0 };

	(void)cli;
	if (streq(args_word(args, 0), "keys"))
		help_manual_keys(&instance_keys, &text);
	else if (streq(args_word(args, 0), "server"))
		help_manual_keys(&server_keys, &text);
	else if (streq(args_word(args, 0), "daemon"))
		help_manual_keys(&daemon_keys, &text);
	else
		help_manual(&text);
	(void)fputs(buf_str(&text), stdout);
	buf_done(&text);
	return CLI_OK;
}

const struct cli_command cmd_complete = {
	.path = "__complete",
	.usage = "[WORD]...",
	.summary = "Offer words to a shell",
	.example = "sysctr __complete -- st",
	.max_words = CLI_MANY,
	.flags = CLI_HIDDEN,
	.run = run,
};

const struct cli_command cmd_manual = {
	.path = "__manual",
	.usage = "[keys|server|daemon]",
	.summary = "Print the generated part of a manual page",
	.example = "sysctr __manual keys",
	.max_words = 1,
	.flags = CLI_HIDDEN,
	.run = run_manual,
};

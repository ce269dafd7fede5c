/* cli/cmd_state.c - start, stop, restart, pause, resume: one row each, all names at once */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/names.h"
#include "cli/object.h"
#include "cli/privileged.h"
#include "cli/wait.h"
#include "codec/json.h"

struct verb {
	const char *name;   /* "pause" */
	const char *action; /* what the API calls it */
	const char *status; /* --all takes those in this state */
	int timeout_s;	    /* default, -1: as long as it takes */
	bool starts;
};

static const struct verb verbs[] = {
	{ "start", "start", "Stopped", -1, true },     { "stop", "stop", "Running", -1, false },
	{ "restart", "restart", "Running", -1, true }, { "pause", "freeze", "Running", -1, false },
	{ "resume", "unfreeze", "Frozen", -1, false },
};

static const struct cli_option all_options[] = {
	{ 0, "all", NULL, "all instances it makes sense for", HINT_NONE },
	{ 0, "timeout", "SECONDS", "how long the instance may take (default: no limit)",
	  HINT_NONE },
	{ 0 },
};

static const struct cli_option force_options[] = {
	{ 'f', "force", NULL, "do not ask its init, kill at once", HINT_NONE },
	{ 0 },
};

static const struct cli_option start_options[] = {
	{ 0, "wait", "ipv4|ipv6|ready", "return when it has an address or has booted", HINT_WAIT },
	{ 0, "console", NULL, "attach to its console at once", HINT_NONE },
	{ 0 },
};

static const struct verb *verb_of(const struct cli_args *args)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (streq(verbs[i].name, args->command->path))
			return &verbs[i];
	return &verbs[0];
}

int state_request(struct cli *cli, const char *name, json_t *body, char **ret_operation,
		  struct err *err)
{
	_cleanup_(freep) char *path = object_path(&object_instance, name, "/state");
	struct client_reply reply = { 0 };
	int r = client_request(cli->client, "PUT", path, body, &reply, err);

	if (r == 0)
		*ret_operation = TAKE_PTR(reply.operation);
	client_reply_done(&reply);
	return r;
}

/* What to do when a name's operation has failed. */
static int fail(struct cli *cli, const struct verb *verb, const char *name, const struct err *err)
{
	_cleanup_(freep) char *hint = NULL;

	if (err->kind == ERR_INTERNAL &&
	    (streq(verb->name, "start") || streq(verb->name, "restart")))
		hint = xasprintf("see \"sysctr info %s --show-log\"", name);
	if (hint)
		return cli_fail_hint(cli, name, verb->name, err, hint);
	return object_fail(cli, &object_instance, name, verb->name, err);
}

/* @goal: NULL when there is nothing to wait for. */
static int after_start(struct cli *cli, const struct cli_args *args, char **names,
		       const struct wait_goal *goal)
{
	struct err err = { 0 };

	for (char **n = names; goal && n && *n; n++)
		if (wait_instance(cli, *n, goal, &err) < 0)
			return cli_fail(cli, *n, "wait", &err);
	if (args_has(args, "console") && strv_len(names) == 1)
		return console_attach(cli, names[0], false, NULL);
	return CLI_OK;
}

/* Ask for all first, then wait for each: they run side by side. */
static int act(struct cli *cli, const struct verb *verb, char **names, json_t *body)
{
	size_t n = strv_len(names);
	char **operations = xcalloc(n + 1, sizeof(char *));
	int status = CLI_OK;

	for (size_t i = 0; i < n; i++) {
		struct err err = { 0 };

		if (state_request(cli, names[i], body, &operations[i], &err) < 0)
			status = fail(cli, verb, names[i], &err);
	}
	for (size_t i = 0; i < n; i++) {
		struct err err = { 0 };

		if (operations[i] && cli_wait(cli, operations[i], NULL, &err) < 0)
			status = fail(cli, verb, names[i], &err);
		else if (operations[i] && verb->starts)
			privileged_warn_user(cli, names[i]);
		free(operations[i]);
	}
	free(operations);
	return status;
}

static int run(struct cli *cli, const struct cli_args *args)
{
	const struct verb *verb = verb_of(args);
	_cleanup_(strv_freep) char **names = NULL;
	_cleanup_(json_decrefp) json_t *body = NULL;
	bool waits = args_has(args, "wait");
	struct wait_goal goal;
	struct err err = { 0 };
	int64_t timeout_s;
	int status;

	if (args_number(args, "timeout", verb->timeout_s, &timeout_s, &err) < 0 ||
	    (waits && wait_parse_goal(args_get(args, "wait"), args, &goal, &err) < 0) ||
	    (args->n_words == 0 && !args_has(args, "all") &&
	     err_kind(&err, ERR_INVALID, "a name or --all is expected") < 0))
		return cli_usage(args, &err);
	if (names_choose(cli, args, verb->status, &names, &err) < 0)
		return cli_fail(cli, NULL, verb->name, &err);
	cli_catch_interrupts(cli);
	body = json_pack("{sssIsb}", "action", verb->action, "timeout", (json_int_t)timeout_s,
			 "force", args_has(args, "force"));
	status = act(cli, verb, names, body);
	return status == CLI_OK ? after_start(cli, args, names, waits ? &goal : NULL) : status;
}

const struct cli_command cmd_start = {
	.path = "start",
	.usage = "NAME...",
	.summary = "Start instances",
	.example = "sysctr start web1 db1\nsysctr start --all",
	.options = { all_options, start_options },
	.max_words = CLI_MANY,
	.hints = { HINT_STOPPED },
	.run = run,
};

const struct cli_command cmd_stop = {
	.path = "stop",
	.usage = "NAME...",
	.summary = "Shut instances down",
	.example = "sysctr stop web1 --timeout 30\nsysctr stop --all --force",
	.options = { force_options, all_options },
	.max_words = CLI_MANY,
	.hints = { HINT_RUNNING },
	.run = run,
};

const struct cli_command cmd_restart = {
	.path = "restart",
	.usage = "NAME...",
	.summary = "Shut instances down and start them again",
	.example = "sysctr restart web1 --force",
	.options = { force_options, all_options, start_options },
	.max_words = CLI_MANY,
	.hints = { HINT_RUNNING },
	.run = run,
};

const struct cli_command cmd_pause = {
	.path = "pause",
	.aliases = "freeze",
	.usage = "NAME...",
	.summary = "Freeze all processes of instances",
	.example = "sysctr pause web1",
	.options = { all_options },
	.max_words = CLI_MANY,
	.hints = { HINT_RUNNING },
	.run = run,
};

const struct cli_command cmd_resume = {
	.path = "resume",
	.aliases = "unfreeze",
	.usage = "NAME...",
	.summary = "Let paused instances run on",
	.example = "sysctr resume web1",
	.options = { all_options },
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE },
	.run = run,
};

/* cli/cmd_exec.c - exec and shell: a command in an instance, with this terminal or these pipes */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/session.h"
#include "cli/term.h"
#include "client/client.h"
#include "client/fdlink.h"
#include "codec/json.h"

enum {
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127
};

struct mode {
	bool interactive;
	bool no_stdin;
};

static const struct cli_option exec_options[] = {
	{ 0, "env", "KEY=VALUE", "set an environment variable", HINT_NONE },
	{ 0, "user", "NAME|UID", "run as this user; by name with its groups (default 0)",
	  HINT_NONE },
	{ 0, "group", "NAME|GID", "run as this group (default: the named user's, else 0)",
	  HINT_NONE },
	{ 0, "cwd", "DIR", "directory to start in (default /root)", HINT_NONE },
	{ 't', "force-interactive", NULL, "use a terminal there even when this is a pipe",
	  HINT_NONE },
	{ 'T', "force-noninteractive", NULL, "use pipes even from a terminal", HINT_NONE },
	{ 'n', "disable-stdin", NULL, "give the command an empty standard input", HINT_NONE },
	{ 0, "mode", "MODE", "auto, interactive or non-interactive", HINT_NONE },
	{ 0 },
};

static const struct cli_option shell_options[] = {
	{ 'u', "user", "NAME", "log in as this user of the instance (default root)", HINT_NONE },
	{ 0 },
};

/* A terminal there when both ends here are one, unless told otherwise. */
static int choose_mode(const struct cli_args *args, struct mode *ret_mode, struct err *err)
{
	const char *mode = args_get(args, "mode");

	ret_mode->no_stdin = args_has(args, "disable-stdin");
	ret_mode->interactive =
		isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !ret_mode->no_stdin;
	if (args_has(args, "force-interactive") && args_has(args, "force-noninteractive"))
		return err_kind(err, ERR_INVALID, "-t and -T exclude each other");
	if (args_has(args, "force-interactive") || streq(mode, "interactive"))
		ret_mode->interactive = true;
	else if (args_has(args, "force-noninteractive") || streq(mode, "non-interactive"))
		ret_mode->interactive = false;
	else if (mode && !streq(mode, "auto"))
		return err_kind(err, ERR_INVALID,
				"mode \"%s\" is none of auto, interactive, non-interactive", mode);
	return 0;
}

static int add_environment(const struct cli_args *args, bool interactive, json_t *request,
			   struct err *err)
{
	_cleanup_(freep) char **pairs = args_all(args, "env");
	json_t *environment = json_object();
	const char *term = getenv("TERM");

	(void)json_object_set_new(request, "environment", environment);
	if (interactive && !str_empty(term))
		(void)json_object_set_new(environment, "TERM", json_string(term));
	for (char **p = pairs; p && *p; p++)
		if (!strchr(*p, '='))
			return err_kind(err, ERR_INVALID, "--env: \"%s\" is not KEY=VALUE", *p);
	for (char **p = pairs; p && *p; p++) {
		char *one[] = { *p, NULL };
		int r = pairs_apply(one, environment, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* A decimal id in its one form: "00" and "+0" are not root. */
static bool is_id(const char *text, uint32_t *ret_id)
{
	return text && !(text[0] == '0' && text[1]) && parse_u32(text, ret_id) == 0;
}

/* Numbers are the API's own members; anything else is looked up, or refused, inside. */
static void add_identity(const struct cli_args *args, json_t *request)
{
	const char *user = args_get(args, "user"), *group = args_get(args, "group");
	uint32_t uid, gid;
	bool numeric = is_id(user, &uid);

	if (numeric)
		(void)json_object_set_new(request, "user", json_integer(uid));
	else if (user)
		(void)json_object_set_new(request, "user_name", json_string(user));
	if ((numeric || !user) && is_id(group, &gid))
		(void)json_object_set_new(request, "group", json_integer(gid));
	else if (group)
		(void)json_object_set_new(request, "group_name", json_string(group));
	if (args_get(args, "cwd"))
		(void)json_object_set_new(request, "cwd", json_string(args_get(args, "cwd")));
}

static json_t *request_of(const struct mode *mode)
{
	unsigned short width = 0, height = 0;

	if (mode->interactive)
		(void)term_size(STDOUT_FILENO, &width, &height);
	return json_pack("{sbsbsbsisi}", "wait-for-websocket", 1, "fds", 1, "interactive",
			 mode->interactive, "width", width, "height", height);
}

/* The command's status from the finished operation; its failure to start is told. */
static int exit_status(struct cli *cli, const char *name, const json_t *operation,
		       const struct err *err, int r)
{
	const json_t *code = json_at(operation, "metadata.return");
	json_int_t status = json_is_integer(code) ? json_integer_value(code) : -1;

	if (r < 0 && (status < 0 || status == STATUS_NOT_EXECUTABLE || status == STATUS_NOT_FOUND))
		(void)object_fail(cli, &object_instance, name, "exec", err);
	if (status < 0)
		return r < 0 ? CLI_FAILED : CLI_OK;
	return (int)(status & 0xff);
}

static int run_session(struct cli *cli, const char *name, const struct mode *mode, json_t *request)
{
	_cleanup_(freep) char *path = object_path(&object_instance, name, "/exec");
	_cleanup_(json_decrefp) json_t *operation = NULL;
	struct client_reply reply = { 0 };
	struct fdlink_start start = { .target = path, .body = request, .reply = &reply };
	struct session_plan plan = {
		.kind = SESSION_EXEC,
		.interactive = mode->interactive,
		.raw = mode->interactive && isatty(STDIN_FILENO),
		.no_stdin = mode->no_stdin,
		.start = &start,
	};
	struct err err = { 0 };
	int status = -1, r = session_run_fds(cli, &plan, &status, &err);

	if (r > 0) { /* a daemon that has WebSockets only */
		plan.operation = reply.metadata;
		plan.id = reply.operation;
		r = session_run_ws(cli, &plan, &err);
	}
	if (r >= 0 && (status < 0 || status == STATUS_NOT_EXECUTABLE || status == STATUS_NOT_FOUND))
		r = cli_wait(cli, reply.operation, &operation, &err);
	client_reply_done(&reply);
	/* a daemon that has gone meanwhile knows no better */
	return operation || (r < 0 && status < 0) ? exit_status(cli, name, operation, &err, r)
						  : status;
}

static int run_exec(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(json_decrefp) json_t *request = NULL;
	struct err err = { 0 };
	struct mode mode;
	json_t *command;

	if (choose_mode(args, &mode, &err) < 0)
		return cli_usage(args, &err);
	request = request_of(&mode);
	if (add_environment(args, mode.interactive, request, &err) < 0)
		return cli_usage(args, &err);
	add_identity(args, request);
	command = json_array();
	for (size_t i = 1; i < args->n_words; i++)
		(void)json_array_append_new(command, json_string(args->words[i]));
	(void)json_object_set_new(request, "command", command);
	return run_session(cli, args->words[0], &mode, request);
}

/* A login shell as the daemon finds it in the instance's passwd. */
static int run_shell(struct cli *cli, const struct cli_args *args)
{
	const char *user = args_get(args, "user");
	struct mode mode = { .interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) };
	_cleanup_(json_decrefp) json_t *request = request_of(&mode);
	struct err err = { 0 };

	if (add_environment(args, true, request, &err) < 0)
		return cli_usage(args, &err);
	(void)json_object_set_new(request, "command", json_array());
	(void)json_object_set_new(request, "login", json_true());
	(void)json_object_set_new(request, "user_name", json_string(user ? user : "root"));
	return run_session(cli, args->words[0], &mode, request);
}

const struct cli_command cmd_exec = {
	.path = "exec",
	.usage = "NAME [--] COMMAND [WORD]...",
	.summary = "Run a command in an instance",
	.text = "The exit status is the command's own; 128+N when signal N ended it.",
	.example = "sysctr exec web1 -- apt-get update\n"
		   "tar c dir | sysctr exec web1 --cwd /srv -- tar x",
	.options = { exec_options },
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_RUNNING, HINT_NONE },
	.flags = CLI_LITERAL_TAIL,
	.run = run_exec,
};

const struct cli_command cmd_shell = {
	.path = "shell",
	.usage = "NAME",
	.summary = "Open a login shell in an instance",
	.example = "sysctr shell web1\nsysctr shell web1 --user www-data",
	.options = { shell_options },
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_RUNNING },
	.run = run_shell,
};

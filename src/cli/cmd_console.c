/* cli/cmd_console.c - console: attach to it, show or clear what it said */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/session.h"
#include "cli/term.h"
#include "cli/wait.h"
#include "codec/json.h"

#define DEFAULT_ESCAPE "ctrl-a"

static const struct cli_option options[] = {
	{ 'f', "force", NULL, "take the console over from whoever types on it", HINT_NONE },
	{ 'e', "escape", "KEY", "the key before q that leaves it: ctrl-a (default), ..., none",
	  HINT_NONE },
	{ 0, "show-log", NULL, "print what the console has said and return", HINT_NONE },
	{ 0, "clear", NULL, "forget what the console has said", HINT_NONE },
	{ 0 },
};

static int collect(void *data, const void *bytes, size_t len, struct err *err)
{
	(void)err;
	buf_add(data, bytes, len);
	return 0;
}

/* Boot logs end their lines in \r\n: the \r would only show as '?'. */
static void drop_returns(struct buf *text)
{
	size_t kept = 0;

	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] != '\r' && text->data[i] != '\0')
			text->data[kept++] = text->data[i];
	text->len = kept;
	buf_add(text, "", 0);
}

static int show_log(struct cli *cli, const char *name)
{
	_cleanup_(freep) char *path = object_path(&object_instance, name, "/console");
	_cleanup_(freep) char *clean = NULL;
	struct buf text = { 0 };
	struct err err = { 0 };
	int r = client_download(cli->client, path, NULL, collect, &text, &err);

	if (r == 0 && isatty(STDOUT_FILENO)) {
		drop_returns(&text);
		clean = str_printable(buf_str(&text), true);
		(void)fputs(clean, stdout);
	} else if (r == 0) {
		(void)fwrite(buf_str(&text), 1, text.len, stdout);
	}
	buf_done(&text);
	return r < 0 ? object_fail(cli, &object_instance, name, "console", &err) : CLI_OK;
}

static int clear_log(struct cli *cli, const char *name)
{
	_cleanup_(freep) char *path = object_path(&object_instance, name, "/console");
	struct err err = { 0 };

	if (client_request(cli->client, "DELETE", path, NULL, NULL, &err) < 0)
		return object_fail(cli, &object_instance, name, "console", &err);
	return CLI_OK;
}

static int open_console(struct cli *cli, const char *name, bool force, struct client_reply *reply,
			struct err *err)
{
	_cleanup_(freep) char *path = object_path(&object_instance, name, "/console");
	_cleanup_(json_decrefp) json_t *request = NULL;
	unsigned short width = 80, height = 24;

	(void)term_size(STDOUT_FILENO, &width, &height);
	request = json_pack("{sisisssb}", "width", width, "height", height, "type", "console",
			    "force", force);
	return client_request(cli->client, "POST", path, request, reply, err);
}

/* Over descriptors the stream outlives the daemon; other daemons have WebSockets only. */
static int run_console(struct cli *cli, struct session_plan *plan, const struct client_reply *reply,
		       struct err *err)
{
	int status = -1, r;

	plan->operation = reply->metadata;
	plan->id = reply->operation;
	if (json_str(json_at(reply->metadata, "metadata.fds"), "fds", NULL))
		r = session_run_fds(cli, plan, &status, err);
	else
		r = session_run_ws(cli, plan, err);
	return r >= 0 && status < 0 ? cli_wait(cli, reply->operation, NULL, err) : r;
}

int console_attach(struct cli *cli, const char *name, bool force, const char *escape)
{
	const char *key = escape ? escape : DEFAULT_ESCAPE;
	_cleanup_(freep) char *greeting =
		xasprintf("Attached to the console of %s; %s q leaves it.", name, key);
	struct session_plan plan = {
		.kind = SESSION_CONSOLE, .interactive = true, .raw = true, .greeting = greeting
	};
	struct client_reply reply = { 0 };
	struct err err = { 0 };
	int r = detach_parse(key, &plan.detach, &err);

	if (r == 0 && !plan.detach.prefix)
		replace_str(&greeting, "Attached to the console.");
	plan.greeting = greeting;
	if (r == 0)
		r = open_console(cli, name, force, &reply, &err);
	if (r == 0)
		r = run_console(cli, &plan, &reply, &err);
	client_reply_done(&reply);
	return r < 0 ? object_fail(cli, &object_instance, name, "console", &err) : CLI_OK;
}

static int run(struct cli *cli, const struct cli_args *args)
{
	const char *escape = args_get(args, "escape");
	struct detach detach;
	struct err err = { 0 };

	if (escape && detach_parse(escape, &detach, &err) < 0)
		return cli_usage(args, &err);
	if (args_has(args, "show-log"))
		return show_log(cli, args->words[0]);
	if (args_has(args, "clear"))
		return clear_log(cli, args->words[0]);
	return console_attach(cli, args->words[0], args_has(args, "force"), escape);
}

const struct cli_command cmd_console = {
	.path = "console",
	.usage = "NAME",
	.summary = "Attach to an instance's console",
	.text = "ctrl-a q leaves it, ctrl-a ctrl-a sends one ctrl-a. Many may watch; the first one\n"
		"types, until somebody uses --force. Who cannot type is told.",
	.example = "sysctr console web1\nsysctr console web1 --force --escape ctrl-]\n"
		   "sysctr console web1 --show-log",
	.options = { options },
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_INSTANCE },
	.run = run,
};

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

static const struct cli_option options[] = {
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

int console_attach(struct cli *cli, const char *name)
{
	_cleanup_(freep) char *path = object_path(&object_instance, name, "/console");
	_cleanup_(freep) char *greeting =
		xasprintf("Attached to the console of %s; ctrl-a q leaves it.", name);
	struct session_plan plan = { .kind = SESSION_CONSOLE, .interactive = true, .raw = true };
	_cleanup_(json_decrefp) json_t *request = NULL;
	unsigned short width = 80, height = 24;
	struct client_reply reply = { 0 };
	struct err err = { 0 };
	int r;

	(void)term_size(STDOUT_FILENO, &width, &height);
	request = json_pack("{sisiss}", "width", width, "height", height, "type", "console");
	r = client_request(cli->client, "POST", path, request, &reply, &err);
	if (r == 0) {
		plan.greeting = greeting;
		plan.operation = reply.metadata;
		plan.id = reply.operation;
		r = session_run_ws(cli, &plan, &err);
	}
	if (r >= 0)
		r = cli_wait(cli, reply.operation, NULL, &err);
	client_reply_done(&reply);
	return r < 0 ? object_fail(cli, &object_instance, name, "console", &err) : CLI_OK;
}

static int run(struct cli *cli, const struct cli_args *args)
{
	if (args_has(args, "show-log"))
		return show_log(cli, args->words[0]);
	if (args_has(args, "clear"))
		return clear_log(cli, args->words[0]);
	return console_attach(cli, args->words[0]);
}

const struct cli_command cmd_console = {
	.path = "console",
	.usage = "NAME",
	.summary = "Attach to an instance's console",
	.text = "ctrl-a q leaves it, ctrl-a ctrl-a sends one ctrl-a.",
	.example = "sysctr console web1\nsysctr console web1 --show-log",
	.options = { options },
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_INSTANCE },
	.run = run,
};

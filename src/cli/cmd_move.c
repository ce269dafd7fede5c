/* cli/cmd_move.c - rename and move: another name for an instance */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "codec/json.h"

static const struct cli_option move_options[] = {
	{ 's', "storage", "POOL", "pool for the root file system", HINT_POOL },
	{ 0 },
};

static int run(struct cli *cli, const struct cli_args *args)
{
	const char *name = args_word(args, 0), *new_name = args_word(args, 1);
	_cleanup_(freep) char *path = object_path(&object_instance, name, "");
	_cleanup_(json_decrefp) json_t *body =
		json_pack("{sssb}", "name", new_name, "migration", 0);
	struct err err = { 0 };

	if (args_get(args, "storage")) {
		(void)json_object_set_new(body, "migration", json_true());
		(void)json_object_set_new(body, "pool", json_string(args_get(args, "storage")));
	}
	if (cli_operate(cli, "POST", path, body, NULL, &err) < 0)
		return object_fail(cli, &object_instance, name, args->command->path, &err);
	cli_say(cli, "%s is called %s now.", name, new_name);
	return CLI_OK;
}

const struct cli_command cmd_rename = {
	.path = "rename",
	.usage = "NAME NEW-NAME",
	.summary = "Give a stopped instance another name",
	.text = "Its files, settings and addresses stay as they are.",
	.example = "sysctr rename web1 web2",
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_STOPPED, HINT_NONE },
	.run = run,
};

const struct cli_command cmd_move = {
	.path = "move",
	.aliases = "mv",
	.usage = "NAME NEW-NAME",
	.summary = "Give a stopped instance another name",
	.example = "sysctr move web1 web2",
	.options = { move_options },
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_STOPPED, HINT_NONE },
	.run = run,
};

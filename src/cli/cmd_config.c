/* cli/cmd_config.c - config: the keys of instances and of the daemon */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/expanded.h"
#include "cli/object.h"
#include "codec/json.h"
#include "codec/yaml.h"

static const struct cli_option show_options[] = {
	{ 'e', "expanded", NULL, "with what the profiles add, and where it comes from", HINT_NONE },
	{ 0 },
};

/* Instance names have no dot and no "=": such a first word is a key of the daemon. */
static bool is_key(const char *word)
{
	return !word || strpbrk(word, ".=") != NULL;
}

static int run_get(struct cli *cli, const struct cli_args *args)
{
	if (args->n_words == 1)
		return object_run_get(cli, &object_server, NULL, args->words[0]);
	return object_run_get(cli, &object_instance, args->words[0], args->words[1]);
}

static int run_set(struct cli *cli, const struct cli_args *args)
{
	if (is_key(args->words[0]))
		return object_run_set(cli, &object_server, NULL, args->words);
	return object_run_set(cli, &object_instance, args->words[0], args->words + 1);
}

static int run_unset(struct cli *cli, const struct cli_args *args)
{
	if (args->n_words == 1 || is_key(args->words[0]))
		return object_run_unset(cli, &object_server, NULL, args->words);
	return object_run_unset(cli, &object_instance, args->words[0], args->words + 1);
}

static int run_edit(struct cli *cli, const struct cli_args *args)
{
	if (args->n_words == 0)
		return object_run_edit(cli, &object_server, NULL);
	return object_run_edit(cli, &object_instance, args->words[0]);
}

/* @part with what it expands to, as text that says where each value comes from. */
static int add_expanded(struct cli *cli, const json_t *instance, json_t *part, struct buf *text,
			struct err *err)
{
	_cleanup_(freep) char *path =
		object_path(&object_instance, json_str(instance, "name", ""), "/origins");
	_cleanup_(json_decrefp) json_t *origins = NULL;
	int r = client_get(cli->client, path, &origins, err);

	if (r < 0)
		return r;
	(void)json_object_set(part, "config", json_object_get(instance, "expanded_config"));
	(void)json_object_set(part, "devices", json_object_get(instance, "expanded_devices"));
	expanded_emit(part, origins, text);
	return 0;
}

static int show_instance(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(json_decrefp) json_t *instance = NULL;
	_cleanup_(json_decrefp) json_t *part = NULL;
	struct buf text = { 0 };
	struct err err = { 0 };

	if (object_get(cli, &object_instance, args->words[0], &instance, NULL, &err) < 0)
		return object_fail(cli, &object_instance, args->words[0], "show", &err);
	part = object_writable(&object_instance, instance);
	if (args_has(args, "expanded") && add_expanded(cli, instance, part, &text, &err) < 0)
		return cli_fail(cli, args->words[0], "show", &err);
	if (!args_has(args, "expanded"))
		yaml_emit(part, &text);
	cli_print(buf_str(&text));
	buf_done(&text);
	return CLI_OK;
}

static int run_show(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(json_decrefp) json_t *server = NULL;
	_cleanup_(json_decrefp) json_t *part = NULL;
	struct err err = { 0 };

	if (args->n_words > 0)
		return show_instance(cli, args);
	if (object_get(cli, &object_server, NULL, &server, NULL, &err) < 0)
		return cli_fail(cli, "server", "show", &err);
	part = object_writable(&object_server, server);
	return object_show(part);
}

const struct cli_command cmd_config_get = {
	.path = "config get",
	.usage = "[NAME] KEY",
	.summary = "Show the value of a key of an instance, or of the daemon",
	.example = "sysctr config get web1 limits.memory",
	.min_words = 1,
	.max_words = 2,
	.hints = { HINT_INSTANCE, HINT_KEY },
	.run = run_get,
};

const struct cli_command cmd_config_set = {
	.path = "config set",
	.usage = "[NAME] KEY=VALUE...",
	.summary = "Set keys of an instance, or of the daemon",
	.text = "What can change on a running instance does so at once.",
	.example = "sysctr config set web1 limits.memory=1GiB limits.cpu=2",
	.options = { object_edit_options },
	.min_words = 1,
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE, HINT_KEY },
	.run = run_set,
};

const struct cli_command cmd_config_unset = {
	.path = "config unset",
	.usage = "[NAME] KEY...",
	.summary = "Remove keys of an instance, or of the daemon",
	.example = "sysctr config unset web1 limits.cpu",
	.options = { object_edit_options },
	.min_words = 1,
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE, HINT_KEY },
	.run = run_unset,
};

const struct cli_command cmd_config_show = {
	.path = "config show",
	.usage = "[NAME]",
	.summary = "Show the configuration of an instance, or of the daemon, as YAML",
	.example = "sysctr config show web1 --expanded",
	.options = { show_options },
	.max_words = 1,
	.hints = { HINT_INSTANCE },
	.run = run_show,
};

const struct cli_command cmd_config_edit = {
	.path = "config edit",
	.usage = "[NAME]",
	.summary = "Edit the configuration as YAML, or read it from standard input",
	.example = "sysctr config edit web1\nsysctr config edit web1 < web1.yaml",
	.options = { object_edit_options },
	.max_words = 1,
	.hints = { HINT_INSTANCE },
	.run = run_edit,
};

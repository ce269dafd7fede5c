/* cli/cmd_remote.c - remote: names for image servers */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/remotes.h"
#include "cli/table.h"
#include "codec/json.h"
#include "spec/image_server.h"
#include "spec/names.h"

static const struct cli_option add_options[] = {
	{ 0, "protocol", "simplestreams", "the only one that is offered", HINT_NONE },
	{ 0, "public", NULL, "taken for the sake of habit: image servers are", HINT_NONE },
	{ 0 },
};

static const struct column columns[] = {
	{ 'n', "NAME", cell_text, "name", 0, NULL },
	{ 'u', "URL", cell_text, "addr", 0, NULL },
	{ 'p', "PROTOCOL", cell_text, "protocol", 0, NULL },
	{ 'd', "DEFAULT", cell_yes_no, "default", 0, NULL },
	{ 0 },
};

/* Load, let @edit change, save. Returns: an exit status. */
typedef int edit_fn(struct remotes *remotes, const struct cli_args *args, struct err *err);

static int change(struct cli *cli, const struct cli_args *args, edit_fn *edit)
{
	_cleanup_(remotes_done) struct remotes remotes = { 0 };
	struct err err = { 0 };
	int r = remotes_load(&remotes, &err);

	if (r == 0)
		r = edit(&remotes, args, &err);
	if (r == 0)
		r = remotes_save(&remotes, &err);
	return r < 0 ? cli_fail(cli, args_word(args, 0), args->command->path, &err) : CLI_OK;
}

static int need(const struct remotes *remotes, const char *name, struct err *err)
{
	if (streq(name, REMOTE_LOCAL))
		return err_kind(err, ERR_INVALID, "it is the daemon itself and stays as it is");
	if (!strmap_has(&remotes->urls, name))
		return err_kind(err, ERR_NOT_FOUND,
				"there is no such remote; see: sysctr remote list");
	return 0;
}

static int check_free(const struct remotes *remotes, const char *name, struct err *err)
{
	int r = name_validate(NAME_REMOTE, name, err);

	if (r == 0 && (streq(name, REMOTE_LOCAL) || strmap_has(&remotes->urls, name)))
		r = err_kind(err, ERR_CONFLICT, "remote \"%s\" exists already", name);
	return r;
}

static int add(struct remotes *remotes, const struct cli_args *args, struct err *err)
{
	const char *protocol = args_get(args, "protocol");
	int r = check_free(remotes, args->words[0], err);

	if (r == 0)
		r = image_server_check(args->words[1], err);
	if (r == 0 && protocol && !streq(protocol, "simplestreams"))
		r = err_kind(err, ERR_UNSUPPORTED,
			     "protocol \"%s\" is not offered; simplestreams is", protocol);
	if (r == 0)
		strmap_set(&remotes->urls, args->words[0], args->words[1]);
	return r;
}

static int run_add(struct cli *cli, const struct cli_args *args)
{
	return change(cli, args, add);
}

static int drop(struct remotes *remotes, const struct cli_args *args, struct err *err)
{
	int r = need(remotes, args->words[0], err);

	if (r == 0 && streq(remotes->chosen, args->words[0]))
		r = err_kind(err, ERR_CONFLICT, "it is the default: sysctr remote switch local");
	if (r == 0)
		(void)strmap_unset(&remotes->urls, args->words[0]);
	return r;
}

static int run_remove(struct cli *cli, const struct cli_args *args)
{
	return change(cli, args, drop);
}

static int rename_remote(struct remotes *remotes, const struct cli_args *args, struct err *err)
{
	_cleanup_(freep) char *url = NULL;
	int r = need(remotes, args->words[0], err);

	if (r == 0)
		r = check_free(remotes, args->words[1], err);
	if (r < 0)
		return r;
	url = xstrdup(strmap_get(&remotes->urls, args->words[0]));
	(void)strmap_unset(&remotes->urls, args->words[0]);
	strmap_set(&remotes->urls, args->words[1], url);
	if (streq(remotes->chosen, args->words[0]))
		replace_str(&remotes->chosen, args->words[1]);
	return 0;
}

static int run_rename(struct cli *cli, const struct cli_args *args)
{
	return change(cli, args, rename_remote);
}

static int set_url(struct remotes *remotes, const struct cli_args *args, struct err *err)
{
	int r = need(remotes, args->words[0], err);

	if (r == 0)
		r = image_server_check(args->words[1], err);
	if (r == 0)
		strmap_set(&remotes->urls, args->words[0], args->words[1]);
	return r;
}

static int run_set_url(struct cli *cli, const struct cli_args *args)
{
	return change(cli, args, set_url);
}

static int choose(struct remotes *remotes, const struct cli_args *args, struct err *err)
{
	int r = streq(args->words[0], REMOTE_LOCAL) ? 0 : need(remotes, args->words[0], err);

	if (r == 0)
		replace_str(&remotes->chosen, args->words[0]);
	return r;
}

static int run_switch(struct cli *cli, const struct cli_args *args)
{
	return change(cli, args, choose);
}

static int run_get_default(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(remotes_done) struct remotes remotes = { 0 };
	struct err err = { 0 };

	if (remotes_load(&remotes, &err) < 0)
		return cli_fail(cli, NULL, args->command->path, &err);
	(void)printf("%s\n", remotes.chosen);
	return CLI_OK;
}

static void add_row(json_t *rows, const struct remotes *remotes, const char *name, const char *url)
{
	(void)json_array_append_new(rows, json_pack("{sssssssb}", "name", name, "addr",
						    url ? url : "unix://", "protocol",
						    url ? "simplestreams" : "sysctr", "default",
						    streq(remotes->chosen, name)));
}

static int run_list(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(object_list_done) struct object_list list = { 0 };
	_cleanup_(remotes_done) struct remotes remotes = { 0 };
	_cleanup_(json_decrefp) json_t *rows = json_array();
	struct err err = { 0 };

	if (object_list_begin(&list, args, columns, "nupd") != CLI_OK)
		return CLI_USAGE;
	if (remotes_load(&remotes, &err) < 0)
		return cli_fail(cli, NULL, args->command->path, &err);
	add_row(rows, &remotes, REMOTE_LOCAL, NULL);
	strmap_for_each(entry, &remotes.urls) add_row(rows, &remotes, entry->key, entry->value);
	return object_list_print(cli, args, &list, rows);
}

const struct cli_command cmd_remote_add = {
	.path = "remote add",
	.usage = "NAME URL",
	.summary = "Give an image server a name",
	.text = "The server speaks simplestreams over https; http is for this host itself only.\n"
		"Names are kept in /etc/sysctr/remotes.yaml for root, in\n"
		"~/.config/sysctr/remotes.yaml for others, who see root's until they change one.",
	.example = "sysctr remote add mirror https://images.example.net",
	.options = { add_options },
	.min_words = 2,
	.max_words = 2,
	.flags = CLI_OFFLINE,
	.run = run_add,
};

const struct cli_command cmd_remote_list = {
	.path = "remote list",
	.aliases = "remote ls",
	.usage = "",
	.summary = "List the image servers that have a name",
	.example = "sysctr remote list",
	.options = { object_list_options },
	.flags = CLI_OFFLINE,
	.run = run_list,
};

const struct cli_command cmd_remote_remove = {
	.path = "remote remove",
	.aliases = "remote rm",
	.usage = "NAME",
	.summary = "Take its name from an image server; images that came from it stay",
	.example = "sysctr remote remove mirror",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_REMOTE },
	.flags = CLI_OFFLINE,
	.run = run_remove,
};

const struct cli_command cmd_remote_rename = {
	.path = "remote rename",
	.aliases = "remote mv",
	.usage = "NAME NEW-NAME",
	.summary = "Give an image server another name",
	.example = "sysctr remote rename mirror images2",
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_REMOTE, HINT_NONE },
	.flags = CLI_OFFLINE,
	.run = run_rename,
};

const struct cli_command cmd_remote_set_url = {
	.path = "remote set-url",
	.usage = "NAME URL",
	.summary = "Let a name mean another image server",
	.example = "sysctr remote set-url images https://images.example.net",
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_REMOTE, HINT_NONE },
	.flags = CLI_OFFLINE,
	.run = run_set_url,
};

const struct cli_command cmd_remote_switch = {
	.path = "remote switch",
	.usage = "NAME",
	.summary = "Choose whose images words without REMOTE: mean",
	.text = "That is where \"launch\", \"create\" and \"image list|show|info|copy\" look then;\n"
		"\"local:\" before a word means the local store and templates.",
	.example = "sysctr remote switch images",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_REMOTE },
	.flags = CLI_OFFLINE,
	.run = run_switch,
};

const struct cli_command cmd_remote_get_default = {
	.path = "remote get-default",
	.usage = "",
	.summary = "Print whose images words without REMOTE: mean",
	.example = "sysctr remote get-default",
	.flags = CLI_OFFLINE,
	.run = run_get_default,
};

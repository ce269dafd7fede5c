/* cli/cmd_storage.c - storage: the pools and their keys */
#include <inttypes.h>

#include "base/buf.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/table.h"
#include "codec/json.h"

static const struct column columns[] = {
	{ 'n', "NAME", cell_text, "name", 0, NULL },
	{ 'D', "DRIVER", cell_text, "driver", 0, NULL },
	{ 'd', "DESCRIPTION", cell_text, "description", 0, NULL },
	{ 'S', "SOURCE", cell_text, "@source", 0, NULL },
	{ 'u', "USED BY", cell_count, "used_by", COLUMN_RIGHT, NULL },
	{ 's', "STATE", cell_upper, "status", 0, NULL },
	{ 0 },
};

static int run_list(struct cli *cli, const struct cli_args *args)
{
	return object_run_list(cli, args, "/1.0/storage-pools?recursion=1", columns, "nDdus");
}

static int run_show(struct cli *cli, const struct cli_args *args)
{
	return object_run_show(cli, &object_pool, args);
}

static int run_get(struct cli *cli, const struct cli_args *args)
{
	return object_run_get(cli, &object_pool, args->words[0], args->words[1]);
}

static int run_set(struct cli *cli, const struct cli_args *args)
{
	return object_run_set(cli, &object_pool, args->words[0], args->words + 1);
}

static int run_unset(struct cli *cli, const struct cli_args *args)
{
	return object_run_unset(cli, &object_pool, args->words[0], args->words + 1);
}

static int run_edit(struct cli *cli, const struct cli_args *args)
{
	return object_run_edit(cli, &object_pool, args->words[0]);
}

static const struct cli_option delete_options[] = { OPTION_FORGET, { 0 } };

static int run_delete(struct cli *cli, const struct cli_args *args)
{
	return object_run_delete(cli, &object_pool, args);
}

static int run_create(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(json_decrefp) json_t *body = NULL;
	json_t *config = json_object();
	struct err err = { 0 };
	int r = pairs_apply(args->words + 2, config, &err);

	body = json_pack("{sssssssO}", "name", args->words[0], "driver", args->words[1],
			 "description",
			 args_has(args, "description") ? args_get(args, "description") : "",
			 "config", config);
	json_decref(config);
	if (r == 0)
		r = cli_operate(cli, "POST", object_pool.collection, body, NULL, &err);
	return r < 0 ? cli_fail(cli, args->words[0], "create", &err) : CLI_OK;
}

/* What the driver can do, in the words of the API. */
static void add_capabilities(const json_t *capabilities, struct buf *text)
{
	const char *copied =
		json_bool(capabilities, "reflinks", false) ? "copied, blocks are shared" : "copied";

	if (!json_is_object(capabilities))
		return;
	buf_printf(text, "Images: %s\nSnapshots: %s\nQuotas: %s\n",
		   json_bool(capabilities, "shared_images", false) ? "shared" : copied,
		   json_bool(capabilities, "fast_snapshots", false) ? "in constant time" : copied,
		   json_str(capabilities, "quotas", ""));
}

static int run_info(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char *path = object_path(&object_pool, args->words[0], "/resources");
	_cleanup_(json_decrefp) json_t *pool = NULL;
	_cleanup_(json_decrefp) json_t *resources = NULL;
	char used[FMT_BYTES_LEN], total[FMT_BYTES_LEN];
	struct buf text = { 0 };
	struct err err = { 0 };
	const json_t *space;

	if (object_get(cli, &object_pool, args->words[0], &pool, NULL, &err) < 0 ||
	    client_get(cli->client, path, &resources, &err) < 0)
		return object_fail(cli, &object_pool, args->words[0], "info", &err);
	space = json_object_get(resources, "space");
	buf_printf(&text, "Name: %s\nDriver: %s\nUsed by: %zu\nSpace used: %s\nTotal space: %s\n",
		   args->words[0], json_str(pool, "driver", ""),
		   json_array_size(json_object_get(pool, "used_by")),
		   fmt_bytes(used, (uint64_t)json_i64(space, "used", 0)),
		   fmt_bytes(total, (uint64_t)json_i64(space, "total", 0)));
	add_capabilities(json_object_get(resources, "capabilities"), &text);
	cli_print(buf_str(&text));
	buf_done(&text);
	return CLI_OK;
}

static const struct cli_option create_options[] = {
	{ 0, "description", "TEXT", "what it is for", HINT_NONE },
	{ 0 },
};

const struct cli_command cmd_storage_list = {
	.path = "storage list",
	.aliases = "storage ls",
	.usage = "",
	.summary = "List storage pools",
	.example = "sysctr storage list",
	.options = { object_list_options },
	.run = run_list,
};

const struct cli_command cmd_storage_show = {
	.path = "storage show",
	.usage = "POOL",
	.summary = "Show a storage pool as YAML",
	.example = "sysctr storage show default",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_POOL },
	.run = run_show,
};

const struct cli_command cmd_storage_info = {
	.path = "storage info",
	.usage = "POOL",
	.summary = "Show how full a storage pool is and what it can do",
	.example = "sysctr storage info default",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_POOL },
	.run = run_info,
};

const struct cli_command cmd_storage_create = {
	.path = "storage create",
	.usage = "POOL DRIVER [KEY=VALUE]...",
	.summary = "Create a storage pool",
	.example = "sysctr storage create big overlay source=/srv/big",
	.text = "DRIVER is overlay (instances stand on the unpacked image), btrfs (copies and snapshots\n"
		"take no time), dir (each instance is a copy), or auto. source= is an empty directory,\n"
		"or one to be made. Of btrfs it is a directory on one, or a block device, which\n"
		"source.wipe=true takes whatever is on it; without a source it is a file of size=.",
	.options = { create_options },
	.min_words = 2,
	.max_words = CLI_MANY,
	.run = run_create,
};

const struct cli_command cmd_storage_get = {
	.path = "storage get",
	.usage = "POOL KEY",
	.summary = "Show the value of a storage pool's key",
	.example = "sysctr storage get default source",
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_POOL, HINT_NONE },
	.run = run_get,
};

const struct cli_command cmd_storage_set = {
	.path = "storage set",
	.usage = "POOL KEY=VALUE...",
	.summary = "Set keys of a storage pool",
	.example = "sysctr storage set default user.room=cellar",
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_POOL, HINT_NONE },
	.run = run_set,
};

const struct cli_command cmd_storage_unset = {
	.path = "storage unset",
	.usage = "POOL KEY...",
	.summary = "Remove keys of a storage pool",
	.example = "sysctr storage unset default user.room",
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_POOL, HINT_NONE },
	.run = run_unset,
};

const struct cli_command cmd_storage_edit = {
	.path = "storage edit",
	.usage = "POOL",
	.summary = "Edit a storage pool as YAML, or read it from standard input",
	.example = "sysctr storage edit default",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_POOL },
	.run = run_edit,
};

const struct cli_command cmd_storage_delete = {
	.path = "storage delete",
	.aliases = "storage rm",
	.usage = "POOL...",
	.summary = "Delete storage pools that nothing uses",
	.text = "With --forget one that is lost is only taken out of the database.",
	.example = "sysctr storage delete big",
	.options = { delete_options },
	.min_words = 1,
	.max_words = CLI_MANY,
	.hints = { HINT_POOL },
	.run = run_delete,
};

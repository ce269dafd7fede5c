/* cli/cmd_storage.c - storage: the pools, read only */
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
	cli_print(buf_str(&text));
	buf_done(&text);
	return CLI_OK;
}

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
	.summary = "Show how full a storage pool is",
	.example = "sysctr storage info default",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_POOL },
	.run = run_info,
};

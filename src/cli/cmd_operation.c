/* cli/cmd_operation.c - operation and warning: what runs, and what went wrong */
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/table.h"
#include "codec/json.h"

static const struct object_kind object_operation = { "operation", "/1.0/operations", NULL, NULL };

/* "web1" of /1.0/instances/web1, for each resource. */
static void cell_resources(const json_t *row, const char *key, struct buf *out)
{
	const char *kind;
	json_t *urls, *url;
	size_t i;

	json_object_foreach(json_object_get(row, key), kind, urls) json_array_foreach(urls, i, url)
		buf_printf(out, "%s%s", out->len ? "\n" : "",
			   str_after(json_string_value(url) ?: "", "/1.0/") ?: "");
}

static const struct column columns[] = {
	{ 'i', "ID", cell_text, "id", 0, NULL },
	{ 't', "TYPE", cell_upper, "class", 0, NULL },
	{ 'd', "DESCRIPTION", cell_text, "description", 0, NULL },
	{ 'r', "RESOURCES", cell_resources, "resources", 0, NULL },
	{ 's', "STATE", cell_upper, "status", 0, NULL },
	{ 'C', "CANCELABLE", cell_yes_no, "may_cancel", 0, NULL },
	{ 'c', "CREATED", cell_time, "created_at", 0, NULL },
	{ 0 },
};

static const struct column warning_columns[] = {
	{ 'u', "UUID", cell_text, "uuid", 0, NULL },
	{ 't', "TYPE", cell_text, "type", 0, NULL },
	{ 's', "STATUS", cell_upper, "status", 0, NULL },
	{ 'S', "SEVERITY", cell_upper, "severity", 0, NULL },
	{ 'n', "COUNT", cell_text, "count", COLUMN_RIGHT, NULL },
	{ 'm', "MESSAGE", cell_text, "last_message", 0, NULL },
	{ 'l', "LAST SEEN", cell_time, "last_seen_at", 0, NULL },
	{ 0 },
};

/* {"running": [...], "success": [...]} as one list. */
static json_t *flatten(const json_t *by_status)
{
	json_t *all = json_array(), *list;
	const char *status;

	json_object_foreach((json_t *)by_status, status, list)(void) json_array_extend(all, list);
	return all;
}

static int run_list(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(object_list_done) struct object_list list = { 0 };
	_cleanup_(json_decrefp) json_t *by_status = NULL;
	_cleanup_(json_decrefp) json_t *rows = NULL;
	struct err err = { 0 };

	if (object_list_begin(&list, args, columns, "itdrsCc") != CLI_OK)
		return CLI_USAGE;
	if (client_get(cli->client, "/1.0/operations?recursion=1", &by_status, &err) < 0)
		return cli_fail(cli, NULL, args->command->path, &err);
	rows = flatten(by_status);
	return object_list_print(cli, args, &list, rows);
}

static int run_show(struct cli *cli, const struct cli_args *args)
{
	return object_run_show(cli, &object_operation, args);
}

static int run_delete(struct cli *cli, const struct cli_args *args)
{
	return object_run_delete(cli, &object_operation, args);
}

static int run_warnings(struct cli *cli, const struct cli_args *args)
{
	return object_run_list(cli, args, "/1.0/warnings?recursion=1", warning_columns, "utsSnml");
}

const struct cli_command cmd_operation_list = {
	.path = "operation list",
	.aliases = "operation ls",
	.usage = "",
	.summary = "List what the daemon does in the background",
	.example = "sysctr operation list",
	.options = { object_list_options },
	.run = run_list,
};

const struct cli_command cmd_operation_show = {
	.path = "operation show",
	.usage = "ID",
	.summary = "Show an operation as YAML",
	.example = "sysctr operation show 7d0a3cf4-6e4f-4b4e-9d0c-52ee2a7d5d1f",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_OPERATION },
	.run = run_show,
};

const struct cli_command cmd_operation_delete = {
	.path = "operation delete",
	.aliases = "operation cancel",
	.usage = "ID...",
	.summary = "Cancel operations; what they did is undone",
	.example = "sysctr operation delete 7d0a3cf4-6e4f-4b4e-9d0c-52ee2a7d5d1f",
	.min_words = 1,
	.max_words = CLI_MANY,
	.hints = { HINT_OPERATION },
	.run = run_delete,
};

const struct cli_command cmd_warning_list = {
	.path = "warning list",
	.aliases = "warning ls",
	.usage = "",
	.summary = "List what the daemon found wrong with the host",
	.example = "sysctr warning list",
	.options = { object_list_options },
	.run = run_warnings,
};

/* cli/cmd_list.c - list: instances in columns, asking the daemon only for what is shown */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/privileged.h"
#include "cli/table.h"
#include "codec/json.h"

/* One "10.0.0.2 (eth0)" per line, of @family. */
static void cell_addresses(const json_t *row, const char *family, struct buf *out)
{
	const char *nic_name;
	json_t *nic, *address;
	size_t i;

	json_object_foreach(json_at(row, "state.network"), nic_name, nic)
	{
		json_array_foreach(json_object_get(nic, "addresses"), i, address)
		{
			const char *scope = json_str(address, "scope", "");

			if (!streq(json_str(address, "family", ""), family) ||
			    streq(scope, "link") || streq(scope, "local"))
				continue;
			buf_printf(out, "%s%s (%s)", out->len ? "\n" : "",
				   json_str(address, "address", ""), nic_name);
		}
	}
}

static void cell_type(const json_t *row, const char *key, struct buf *out)
{
	(void)key;
	cell_upper(row, "type", out);
	if (json_bool(row, "ephemeral", false))
		buf_add_str(out, " (EPHEMERAL)");
	if (privileged_is(row))
		buf_add_str(out, " (PRIVILEGED)");
}

/* Positive numbers only: a stopped instance has pid 0 and -1 processes. */
static void cell_positive(const json_t *row, const char *key, struct buf *out)
{
	json_int_t value = json_integer_value(json_at(row, key));

	if (value > 0)
		buf_printf(out, "%lld", (long long)value);
}

static void cell_cpu_seconds(const json_t *row, const char *key, struct buf *out)
{
	json_int_t ns = json_integer_value(json_at(row, key));

	if (ns > 0)
		buf_printf(out, "%lld.%llds", (long long)(ns / 1000000000),
			   (long long)(ns / 100000000 % 10));
}

static void cell_image(const json_t *row, const char *key, struct buf *out)
{
	const json_t *config = json_object_get(row, "config");
	const char *text = json_str(config, "image.description", "");

	(void)key;
	if (str_empty(text))
		buf_printf(out, "%.12s", json_str(config, "volatile.base_image", ""));
	else
		buf_add_str(out, text);
}

static void cell_pool(const json_t *row, const char *key, struct buf *out)
{
	const json_t *devices = json_object_get(row, "expanded_devices"), *device;
	const char *name;

	(void)key;
	json_object_foreach((json_t *)devices, name,
			    device) if (streq(json_str(device, "path", ""), "/"))
		buf_add_str(out, json_str(device, "pool", ""));
}

static const struct column columns[] = {
	{ 'n', "NAME", cell_text, "name", 0, NULL },
	{ 's', "STATE", cell_upper, "status", 0, NULL },
	{ '4', "IPV4", cell_addresses, "inet", COLUMN_STATE, "state/network/*/addresses" },
	{ '6', "IPV6", cell_addresses, "inet6", COLUMN_STATE, "state/network/*/addresses" },
	{ 't', "TYPE", cell_type, NULL, 0, "type,ephemeral,expanded_config/security.privileged" },
	{ 'S', "SNAPSHOTS", cell_count, "snapshots", COLUMN_RIGHT | COLUMN_FULL,
	  "snapshots/*/name" },
	{ 'm', "MEMORY", cell_bytes, "state.memory.usage", COLUMN_RIGHT | COLUMN_USAGE, NULL },
	{ 'u', "CPU", cell_cpu_seconds, "state.cpu.usage", COLUMN_RIGHT | COLUMN_USAGE, NULL },
	{ 'D', "DISK", cell_bytes, "state.disk.root.usage", COLUMN_RIGHT | COLUMN_STATE, NULL },
	{ 'p', "PID", cell_positive, "state.pid", COLUMN_RIGHT | COLUMN_STATE, NULL },
	{ 'N', "PROCESSES", cell_positive, "state.processes", COLUMN_RIGHT | COLUMN_USAGE, NULL },
	{ 'P', "PROFILES", cell_lines, "profiles", 0, NULL },
	{ 'a', "ARCHITECTURE", cell_text, "architecture", 0, NULL },
	{ 'c', "CREATED", cell_time, "created_at", 0, NULL },
	{ 'l', "LAST USED", cell_time, "last_used_at", 0, NULL },
	{ 'd', "DESCRIPTION", cell_text, "description", 0, NULL },
	{ 'i', "IMAGE", cell_image, NULL, 0,
	  "config/image.description,config/volatile.base_image" },
	{ 'b', "POOL", cell_pool, NULL, 0, "expanded_devices" },
	{ 0 },
};

/* "status=running", "user.role=web": a member or a configuration key, globs allowed. */
static bool matches_pair(const json_t *row, const char *word)
{
	_cleanup_(freep) char *key = xstrndup(word, strcspn(word, "="));
	const char *wanted = strchr(word, '=') + 1;
	const char *value = json_str(json_object_get(row, "expanded_config"), key, NULL);

	if (!value)
		value = json_str(json_object_get(row, "config"), key, NULL);
	if (!value)
		value = json_str(row, streq(key, "state") ? "status" : key, NULL);
	return value && fnmatch(wanted, value, FNM_CASEFOLD) == 0;
}

static bool matches(const json_t *row, char **words)
{
	const char *name = json_str(row, "name", "");
	bool named = false, any_name = false;

	for (; words && *words; words++) {
		if (strchr(*words, '=')) {
			if (!matches_pair(row, *words))
				return false;
			continue;
		}
		any_name = true;
		named |= strpbrk(*words, "*?[") ? fnmatch(*words, name, 0) == 0
						: str_after(name, *words) != NULL;
	}
	return !any_name || named;
}

static void drop_others(json_t *rows, char **words)
{
	for (size_t i = json_array_size(rows); words && *words && i > 0; i--)
		if (!matches(json_array_get(rows, i - 1), words))
			(void)json_array_remove(rows, i - 1);
}

/* Usage costs a question to every running container: only when something shown needs it. */
static const char *path_for(const struct column_set *set, enum table_format format)
{
	unsigned int flags = table_flags(set);

	if (format == TABLE_JSON || format == TABLE_YAML || (flags & COLUMN_USAGE))
		return "/1.0/instances?recursion=2";
	if (flags & (COLUMN_STATE | COLUMN_FULL))
		return "/1.0/instances?recursion=2&usage=false";
	return "/1.0/instances?recursion=1";
}

/* What columns and filters read. */
static char **fields_of(const struct column_set *set, char **words)
{
	char **fields = NULL;

	strv_push(&fields, "name");
	table_fields(set, &fields);
	for (; words && *words; words++) {
		_cleanup_(freep) char *key = xstrndup(*words, strcspn(*words, "="));

		if (!strchr(*words, '='))
			continue;
		strv_push_take(&fields, xasprintf("config/%s", key));
		strv_push_take(&fields, xasprintf("expanded_config/%s", key));
		strv_push(&fields, streq(key, "state") ? "status" : key);
	}
	return fields;
}

static int fetch(struct cli *cli, const struct cli_args *args, const struct column_set *set,
		 enum table_format format, json_t **ret_rows, struct err *err)
{
	const char *path = path_for(set, format);
	_cleanup_(strv_freep) char **fields = NULL;

	if (format == TABLE_JSON || format == TABLE_YAML)
		return client_get(cli->client, path, ret_rows, err);
	fields = fields_of(set, args->words);
	return client_get_fields(cli->client, path, (const char *const *)fields, ret_rows, err);
}

static int run(struct cli *cli, const struct cli_args *args)
{
	const char *wanted = args_get(args, "columns");
	_cleanup_(json_decrefp) json_t *rows = NULL;
	struct column_set set = { 0 };
	enum table_format format;
	struct buf out = { 0 };
	struct err err = { 0 };
	int r;

	if (!wanted)
		wanted = args_has(args, "fast") ? "nstPc" : "ns46tS";
	if (table_parse_format(args_get(args, "format"), &format, &err) < 0 ||
	    table_choose(columns, wanted, &set, &err) < 0)
		return cli_usage(args, &err);
	r = fetch(cli, args, &set, format, &rows, &err);
	if (r == 0) {
		drop_others(rows, args->words);
		r = table_print(rows, &set, format, &out, &err);
	}
	if (r == 0)
		cli_print(buf_str(&out));
	column_set_done(&set);
	buf_done(&out);
	return r < 0 ? cli_fail(cli, NULL, "list", &err) : CLI_OK;
}

static const struct cli_option options[] = {
	{ 0, "fast", NULL, "only what needs no look at running instances", HINT_NONE },
	{ 0 },
};

const struct cli_command cmd_list = {
	.path = "list",
	.aliases = "ls",
	.usage = "[NAME|KEY=VALUE]...",
	.summary = "List instances",
	.text = "NAME is the beginning of names or a pattern (\"web*\"), KEY a configuration key or\n"
		"status, type, architecture, description. Columns: n name, s state, 4 IPv4, 6 IPv6,\n"
		"t type, S snapshots, m memory, u CPU, D disk, p PID, N processes, P profiles,\n"
		"a architecture, c created, l last used, d description, i image, b pool;\n"
		"a configuration key is a column too (\"name,user.role:ROLE\").",
	.example = "sysctr list\n"
		   "sysctr list status=running -c ns4m\n"
		   "sysctr list --format csv --columns name,ipv4",
	.options = { object_list_options, options },
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE },
	.run = run,
};

/* cli/cmd_network.c - network: bridges, their keys, addresses and leases */
#include <inttypes.h>

#include "base/buf.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/table.h"
#include "codec/json.h"

static const struct column columns[] = {
	{ 'n', "NAME", cell_text, "name", 0, NULL },
	{ 't', "TYPE", cell_text, "type", 0, NULL },
	{ 'm', "MANAGED", cell_yes_no, "managed", 0, NULL },
	{ '4', "IPV4", cell_text, "@ipv4.address", 0, NULL },
	{ '6', "IPV6", cell_text, "@ipv6.address", 0, NULL },
	{ 'd', "DESCRIPTION", cell_text, "description", 0, NULL },
	{ 'u', "USED BY", cell_count, "used_by", COLUMN_RIGHT, NULL },
	{ 's', "STATE", cell_upper, "status", 0, NULL },
	{ 0 },
};

static const struct column lease_columns[] = {
	{ 'h', "HOSTNAME", cell_text, "hostname", 0, NULL },
	{ 'm', "MAC ADDRESS", cell_text, "hwaddr", 0, NULL },
	{ 'i', "IP ADDRESS", cell_text, "address", 0, NULL },
	{ 't', "TYPE", cell_upper, "type", 0, NULL },
	{ 0 },
};

static int run_list(struct cli *cli, const struct cli_args *args)
{
	return object_run_list(cli, args, "/1.0/networks?recursion=1", columns, "ntm46dus");
}

static int run_leases(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char *path = object_path(&object_network, args->words[0], "/leases");

	return object_run_list(cli, args, path, lease_columns, "hmit");
}

static int run_show(struct cli *cli, const struct cli_args *args)
{
	return object_run_show(cli, &object_network, args);
}

static int run_get(struct cli *cli, const struct cli_args *args)
{
	return object_run_get(cli, &object_network, args->words[0], args->words[1]);
}

static int run_set(struct cli *cli, const struct cli_args *args)
{
	return object_run_set(cli, &object_network, args->words[0], args->words + 1);
}

static int run_unset(struct cli *cli, const struct cli_args *args)
{
	return object_run_unset(cli, &object_network, args->words[0], args->words + 1);
}

static int run_edit(struct cli *cli, const struct cli_args *args)
{
	return object_run_edit(cli, &object_network, args->words[0]);
}

static int run_delete(struct cli *cli, const struct cli_args *args)
{
	return object_run_delete(cli, &object_network, args);
}

static int run_create(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(json_decrefp) json_t *body = NULL;
	json_t *config = json_object();
	struct err err = { 0 };
	int r = pairs_apply(args->words + 1, config, &err);

	body = json_pack("{sssssssO}", "name", args->words[0], "type", "bridge", "description",
			 args_has(args, "description") ? args_get(args, "description") : "",
			 "config", config);
	json_decref(config);
	if (r == 0)
		r = cli_operate(cli, "POST", object_network.collection, body, NULL, &err);
	return r < 0 ? cli_fail(cli, args->words[0], "create", &err) : CLI_OK;
}

static void info_text(const char *name, const json_t *state, struct buf *out)
{
	const json_t *counters = json_object_get(state, "counters");
	char in[FMT_BYTES_LEN], sent[FMT_BYTES_LEN];
	json_t *address;
	size_t i;

	buf_printf(out, "Name: %s\nMAC address: %s\nMTU: %" PRId64 "\nState: %s\n", name,
		   json_str(state, "hwaddr", ""), json_i64(state, "mtu", 0),
		   json_str(state, "state", ""));
	buf_add_str(out, "Addresses:\n");
	json_array_foreach(json_object_get(state, "addresses"), i, address)
		buf_printf(out, "  %s: %s/%s (%s)\n", json_str(address, "family", ""),
			   json_str(address, "address", ""), json_str(address, "netmask", ""),
			   json_str(address, "scope", ""));
	buf_printf(out, "Received: %s\nSent: %s\n",
		   fmt_bytes(in, (uint64_t)json_i64(counters, "bytes_received", 0)),
		   fmt_bytes(sent, (uint64_t)json_i64(counters, "bytes_sent", 0)));
}

static int run_info(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char *path = object_path(&object_network, args->words[0], "/state");
	_cleanup_(json_decrefp) json_t *state = NULL;
	struct buf text = { 0 };
	struct err err = { 0 };

	if (client_get(cli->client, path, &state, &err) < 0)
		return object_fail(cli, &object_network, args->words[0], "info", &err);
	info_text(args->words[0], state, &text);
	cli_print(buf_str(&text));
	buf_done(&text);
	return CLI_OK;
}

static const struct cli_option create_options[] = {
	{ 0, "description", "TEXT", "what it is for", HINT_NONE },
	{ 0 },
};

const struct cli_command cmd_network_list = {
	.path = "network list",
	.aliases = "network ls",
	.usage = "",
	.summary = "List networks",
	.example = "sysctr network list",
	.options = { object_list_options },
	.run = run_list,
};

const struct cli_command cmd_network_show = {
	.path = "network show",
	.usage = "NETWORK",
	.summary = "Show a network as YAML",
	.example = "sysctr network show sysctrbr0",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_NETWORK },
	.run = run_show,
};

const struct cli_command cmd_network_info = {
	.path = "network info",
	.usage = "NETWORK",
	.summary = "Show addresses and counters of a network",
	.example = "sysctr network info sysctrbr0",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_NETWORK },
	.run = run_info,
};

const struct cli_command cmd_network_leases = {
	.path = "network list-leases",
	.usage = "NETWORK",
	.summary = "List who has which address on a network",
	.example = "sysctr network list-leases sysctrbr0",
	.options = { object_list_options },
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_NETWORK },
	.run = run_leases,
};

const struct cli_command cmd_network_get = {
	.path = "network get",
	.usage = "NETWORK KEY",
	.summary = "Show the value of a network's key",
	.example = "sysctr network get sysctrbr0 ipv4.address",
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_NETWORK, HINT_NONE },
	.run = run_get,
};

const struct cli_command cmd_network_set = {
	.path = "network set",
	.usage = "NETWORK KEY=VALUE...",
	.summary = "Set keys of a network",
	.example = "sysctr network set sysctrbr0 ipv4.nat=false",
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_NETWORK, HINT_NONE },
	.run = run_set,
};

const struct cli_command cmd_network_unset = {
	.path = "network unset",
	.usage = "NETWORK KEY...",
	.summary = "Remove keys of a network",
	.example = "sysctr network unset sysctrbr0 ipv4.nat",
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_NETWORK, HINT_NONE },
	.run = run_unset,
};

const struct cli_command cmd_network_create = {
	.path = "network create",
	.usage = "NETWORK [KEY=VALUE]...",
	.summary = "Create a bridge",
	.example = "sysctr network create br1 ipv4.address=10.9.0.1/24",
	.options = { create_options },
	.min_words = 1,
	.max_words = CLI_MANY,
	.run = run_create,
};

const struct cli_command cmd_network_edit = {
	.path = "network edit",
	.usage = "NETWORK",
	.summary = "Edit a network as YAML, or read it from standard input",
	.example = "sysctr network edit sysctrbr0",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_NETWORK },
	.run = run_edit,
};

const struct cli_command cmd_network_delete = {
	.path = "network delete",
	.aliases = "network rm",
	.usage = "NETWORK...",
	.summary = "Delete networks that nothing uses",
	.example = "sysctr network delete br1",
	.min_words = 1,
	.max_words = CLI_MANY,
	.hints = { HINT_NETWORK },
	.run = run_delete,
};

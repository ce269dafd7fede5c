/* cli/cmd_info.c - info: what an instance is and does now, for people */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/info.h"
#include "cli/object.h"
#include "cli/privileged.h"
#include "cli/table.h"
#include "codec/json.h"

enum {
	LOG_TAIL = 8 * 1024
};

static const struct cli_option options[] = {
	{ 0, "show-log", NULL, "also the last lines of its log and console", HINT_NONE },
	{ 0 },
};

static void add_bytes(struct buf *out, const char *label, int64_t bytes)
{
	char text[FMT_BYTES_LEN];

	if (bytes > 0)
		buf_printf(out, "  %s: %s\n", label, fmt_bytes(text, (uint64_t)bytes));
}

static void add_strings(struct buf *out, const json_t *list)
{
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i, item)
		buf_printf(out, "%s%s", i ? ", " : "", json_string_value(item) ?: "");
	buf_add_char(out, '\n');
}

static void add_head(const json_t *instance, struct buf *out)
{
	static const struct {
		const char *label, *key;
		void (*cell)(const json_t *row, const char *key, struct buf *out);
	} lines[] = {
		{ "Name", "name", cell_text },
		{ "Description", "description", cell_text },
		{ "Status", "status", cell_upper },
		{ "Type", "type", cell_text },
		{ "Architecture", "architecture", cell_text },
		{ "Created", "created_at", cell_time },
		{ "Last used", "last_used_at", cell_time },
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct buf value = { 0 };

		lines[i].cell(instance, lines[i].key, &value);
		if (value.len > 0)
			buf_printf(out, "%s: %s\n", lines[i].label, buf_str(&value));
		buf_done(&value);
	}
	if (json_bool(instance, "ephemeral", false))
		buf_add_str(out, "Ephemeral: yes\n");
	if (privileged_is(instance))
		buf_add_str(out, "Privileged: YES, " PRIVILEGED_WORDS "\n");
	buf_add_str(out, "Profiles: ");
	add_strings(out, json_object_get(instance, "profiles"));
}

static void add_limits(const json_t *instance, struct buf *out)
{
	const char *key;
	json_t *value;
	bool any = false;

	json_object_foreach(json_object_get(instance, "expanded_config"), key, value)
	{
		if (!str_after(key, "limits.") || !json_is_string(value))
			continue;
		if (!any)
			buf_add_str(out, "\nLimits:\n");
		any = true;
		buf_printf(out, "  %s: %s\n", key, json_string_value(value));
	}
}

static void add_disks(const json_t *state, struct buf *out)
{
	char used[FMT_BYTES_LEN], total[FMT_BYTES_LEN];
	const char *name;
	json_t *disk;

	json_object_foreach(json_object_get(state, "disk"), name, disk)
	{
		uint64_t limit = (uint64_t)json_i64(disk, "total", 0);

		buf_printf(out, "  Disk (%s): %s", name,
			   fmt_bytes(used, (uint64_t)json_i64(disk, "usage", 0)));
		if (limit > 0)
			buf_printf(out, " of %s", fmt_bytes(total, limit));
		buf_add_char(out, '\n');
	}
}

static void add_usage(const json_t *state, struct buf *out)
{
	const json_t *memory = json_object_get(state, "memory");
	int64_t cpu_ns = json_i64(json_object_get(state, "cpu"), "usage", 0);
	char time[FMT_DURATION_LEN];

	buf_printf(out, "\nResources:\n  PID: %" PRId64 "\n  Processes: %" PRId64 "\n",
		   json_i64(state, "pid", 0), json_i64(state, "processes", 0));
	if (cpu_ns > 0)
		buf_printf(out, "  CPU time: %s\n", fmt_duration(time, (uint64_t)cpu_ns));
	add_bytes(out, "Memory", json_i64(memory, "usage", 0));
	add_bytes(out, "Memory (peak)", json_i64(memory, "usage_peak", 0));
	add_bytes(out, "Swap", json_i64(memory, "swap_usage", 0));
	add_disks(state, out);
}

static void add_nic(const char *name, const json_t *nic, struct buf *out)
{
	const json_t *counters = json_object_get(nic, "counters");
	json_t *address;
	size_t i;

	buf_printf(out, "  %s: %s, %s", name, json_str(nic, "state", ""),
		   json_str(nic, "hwaddr", ""));
	if (!str_empty(json_str(nic, "host_name", "")))
		buf_printf(out, ", on the host %s", json_str(nic, "host_name", ""));
	buf_add_char(out, '\n');
	json_array_foreach(json_object_get(nic, "addresses"), i, address)
		buf_printf(out, "    %s: %s/%s (%s)\n", json_str(address, "family", ""),
			   json_str(address, "address", ""), json_str(address, "netmask", ""),
			   json_str(address, "scope", ""));
	if (json_i64(counters, "bytes_received", 0) > 0) {
		char in[FMT_BYTES_LEN], sent[FMT_BYTES_LEN];

		buf_printf(out, "    received %s, sent %s\n",
			   fmt_bytes(in, (uint64_t)json_i64(counters, "bytes_received", 0)),
			   fmt_bytes(sent, (uint64_t)json_i64(counters, "bytes_sent", 0)));
	}
}

static void add_network(const json_t *state, struct buf *out)
{
	const char *name;
	json_t *nic;

	if (!json_is_object(json_object_get(state, "network")))
		return;
	buf_add_str(out, "\nNetwork:\n");
	json_object_foreach(json_object_get(state, "network"), name, nic) if (!streq(name, "lo"))
		add_nic(name, nic, out);
}

static void add_snapshots(const json_t *instance, struct buf *out)
{
	char size[FMT_BYTES_LEN];
	json_t *snapshot;
	size_t i;

	json_array_foreach(json_object_get(instance, "snapshots"), i, snapshot)
	{
		if (i == 0)
			buf_add_str(out, "\nSnapshots:\n");
		buf_printf(out, "  %s (", json_str(snapshot, "name", ""));
		cell_time(snapshot, "created_at", out);
		if (json_i64(snapshot, "size", 0) > 0)
			buf_printf(out, ", %s",
				   fmt_bytes(size, (uint64_t)json_i64(snapshot, "size", 0)));
		buf_add_str(out, ")\n");
	}
}

void info_format(const json_t *instance, struct buf *out)
{
	const json_t *state = json_object_get(instance, "state");

	add_head(instance, out);
	add_limits(instance, out);
	if (json_i64(state, "pid", 0) > 0) {
		add_usage(state, out);
		add_network(state, out);
	} else if (json_object_size(json_object_get(state, "disk")) > 0) {
		buf_add_str(out, "\nResources:\n");
		add_disks(state, out);
	}
	add_snapshots(instance, out);
}

static int collect(void *data, const void *bytes, size_t len, struct err *err)
{
	struct buf *tail = data;

	(void)err;
	buf_add(tail, bytes, len);
	if (tail->len > 2 * LOG_TAIL)
		buf_consume(tail, tail->len - LOG_TAIL);
	return 0;
}

/* The last lines of what GET @path answers; silent when there is nothing. */
static void add_log(struct cli *cli, const char *title, const char *path, struct buf *out)
{
	struct buf tail = { 0 };
	size_t from, kept = 0;

	if (client_download(cli->client, path, NULL, collect, &tail, NULL) == 0 && tail.len > 0) {
		from = tail.len > LOG_TAIL ? tail.len - LOG_TAIL : 0;
		for (size_t i = from; i < tail.len; i++)
			if (tail.data[i] != '\r' && tail.data[i] != '\0')
				tail.data[kept++] = tail.data[i];
		tail.len = kept;
		buf_add(&tail, "", 0);
		buf_printf(out, "\n%s:\n%s\n", title, buf_str(&tail));
	}
	buf_done(&tail);
}

static void add_logs(struct cli *cli, const char *name, struct buf *out)
{
	_cleanup_(freep) char *monitor = object_path(&object_instance, name, "/logs/monitor.log");
	_cleanup_(freep) char *console = object_path(&object_instance, name, "/console");

	add_log(cli, "Log", monitor, out);
	add_log(cli, "Console", console, out);
}

static int show_server(struct cli *cli)
{
	_cleanup_(json_decrefp) json_t *server = NULL;
	struct err err = { 0 };

	if (client_get(cli->client, "/1.0", &server, &err) < 0)
		return cli_fail(cli, "server", "info", &err);
	return object_show(server);
}

/* Where the pool's file system does not count what the root takes: walk through it. */
static void measure_root(struct cli *cli, const char *instance_name, const json_t *instance)
{
	json_t *disks = json_object_get(json_object_get(instance, "state"), "disk"), *device;
	const char *name;

	json_object_foreach(json_object_get(instance, "expanded_devices"), name, device)
	{
		_cleanup_(json_decrefp) json_t *state = NULL;
		_cleanup_(freep) char *path = NULL;

		if (!streq(json_str(device, "path", ""), "/") || json_object_get(disks, name))
			continue;
		path = client_path("/1.0/storage-pools/%s/volumes/container/%s/state",
				   json_str(device, "pool", "default"), instance_name);
		if (client_get(cli->client, path, &state, NULL) == 0)
			(void)json_object_set_new(
				disks, name,
				json_pack("{sI}", "usage",
					  (json_int_t)json_i64(json_object_get(state, "usage"),
							       "used", 0)));
	}
}

static int run(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char *path = NULL;
	_cleanup_(freep) char *clean = NULL;
	_cleanup_(json_decrefp) json_t *instance = NULL;
	struct buf text = { 0 };
	struct err err = { 0 };

	if (args->n_words == 0)
		return show_server(cli);
	path = object_path(&object_instance, args->words[0], "?recursion=1");
	if (client_get(cli->client, path, &instance, &err) < 0)
		return object_fail(cli, &object_instance, args->words[0], "info", &err);
	measure_root(cli, args->words[0], instance);
	info_format(instance, &text);
	if (args_has(args, "show-log"))
		add_logs(cli, args->words[0], &text);
	clean = str_printable(buf_str(&text), true);
	cli_print(clean);
	buf_done(&text);
	return CLI_OK;
}

const struct cli_command cmd_info = {
	.path = "info",
	.usage = "[NAME]",
	.summary = "Show state, addresses, limits and use of an instance, or the daemon's data",
	.example = "sysctr info web1\nsysctr info web1 --show-log",
	.options = { options },
	.max_words = 1,
	.hints = { HINT_INSTANCE },
	.run = run,
};

/* cli/cmd_monitor.c - monitor: the daemon's events as they happen */
#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "client/ws.h"
#include "codec/json.h"
#include "codec/yaml.h"

enum monitor_format {
	MONITOR_LINE,
	MONITOR_JSON,
	MONITOR_YAML,
	MONITOR_FORMAT_MAX
};

struct monitor {
	enum monitor_format format;
	struct buf message;
};

static const struct cli_option options[] = {
	{ 't', "type", "TYPE", "only operation, lifecycle or logging events", HINT_NONE },
	{ 'f', "format", "FORMAT", "line, json or yaml (default line)", HINT_NONE },
	{ 0 },
};

static void format_line(const json_t *event, struct buf *out)
{
	const json_t *metadata = json_object_get(event, "metadata");
	const char *type = json_str(event, "type", "");

	buf_printf(out, "%.19s %s ", json_str(event, "timestamp", ""), type);
	if (streq(type, "operation"))
		buf_printf(out, "%s: %s %s%s", json_str(metadata, "id", ""),
			   json_str(metadata, "description", ""), json_str(metadata, "status", ""),
			   str_empty(json_str(metadata, "err", "")) ? "" : ": ");
	else if (streq(type, "lifecycle"))
		buf_printf(out, "%s %s", json_str(metadata, "action", ""),
			   json_str(metadata, "source", ""));
	else
		buf_printf(out, "%s %s", json_str(metadata, "level", ""),
			   json_str(metadata, "message", ""));
	buf_printf(out, "%s\n", streq(type, "operation") ? json_str(metadata, "err", "") : "");
}

static void show(const struct monitor *m, const json_t *event)
{
	_cleanup_(freep) char *clean = NULL;
	struct buf out = { 0 };
	char *text;

	switch (m->format) {
	case MONITOR_JSON:
		text = json_dumps(event, JSON_COMPACT);
		buf_printf(&out, "%s\n", text ? text : "");
		freep(&text);
		break;
	case MONITOR_YAML:
		buf_add_str(&out, "---\n");
		yaml_emit(event, &out);
		break;
	case MONITOR_LINE:
		format_line(event, &out);
		break;
	case MONITOR_FORMAT_MAX:
		break;
	}
	clean = str_printable(buf_str(&out), true);
	(void)fputs(clean, stdout);
	(void)fflush(stdout);
	buf_done(&out);
}

static void on_data(void *data, bool text, bool last, const void *bytes, size_t len)
{
	struct monitor *m = data;
	json_t *event;

	(void)text;
	buf_add(&m->message, bytes, len);
	if (!last)
		return;
	event = json_loadb(m->message.data, m->message.len, 0, NULL);
	m->message.len = 0;
	if (event)
		show(m, event);
	json_decref(event);
}

static int parse_format(const struct cli_args *args, enum monitor_format *ret_format,
			struct err *err)
{
	static const char *const names[] = { "line", "json", "yaml" };
	const char *word = args_get(args, "format");

	*ret_format = MONITOR_LINE;
	for (size_t i = 0; word && i < ARRAY_LEN(names); i++) {
		if (streq(word, names[i])) {
			*ret_format = (enum monitor_format)i;
			return 0;
		}
	}
	if (word)
		return err_kind(err, ERR_INVALID, "format \"%s\" is none of line, json, yaml",
				word);
	return 0;
}

static int follow(struct ws *ws)
{
	int r = ws_process(ws);

	while (r == 0) {
		struct pollfd p = { .fd = ws_fd(ws), .events = ws_events(ws) };

		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return -errno;
		r = ws_process(ws);
	}
	return r;
}

static int run(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char **types = args_all(args, "type");
	_cleanup_(freep) char *list = strv_join((const char *const *)types, ",");
	_cleanup_(freep) char *path = NULL;
	struct monitor m = { 0 };
	struct err err = { 0 };
	struct ws *ws;
	int r;

	if (parse_format(args, &m.format, &err) < 0)
		return cli_usage(args, &err);
	path = types ? client_path("/1.0/events?type=%s", list) : xstrdup("/1.0/events");
	if (ws_open(cli->client, path, on_data, &m, &ws, &err) < 0)
		return cli_fail(cli, NULL, "monitor", &err);
	r = follow(ws);
	(void)ws_free(ws);
	buf_done(&m.message);
	(void)err_kind(&err, ERR_UNAVAILABLE, "sysctrd has closed the connection");
	return r < 0 || r == 1 ? cli_fail(cli, NULL, "monitor", &err) : CLI_OK;
}

const struct cli_command cmd_monitor = {
	.path = "monitor",
	.usage = "",
	.summary = "Show the daemon's events as they happen",
	.example = "sysctr monitor\nsysctr monitor --type lifecycle --format json",
	.options = { options },
	.run = run,
};

/* cli/cmd_snapshot_diff.c - snapshot diff: which paths have changed, for people or as JSON */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/snapshot.h"
#include "cli/table.h"

enum {
	BYTES_MAX = 64 << 20
};

static const struct cli_option options[] = {
	{ 'f', "format", "FORMAT", "table (lines, the default) or json", HINT_FORMAT },
	{ 0 },
};

static const struct {
	char kind;
	const char *member;
} kinds[] = { { 'A', "added" }, { 'C', "changed" }, { 'D', "removed" } };

static int collect(void *data, const void *bytes, size_t len, struct err *err)
{
	struct buf *buf = data;

	if (buf->len + len > BYTES_MAX)
		return err_set(err, -EFBIG, "the answer is too long");
	buf_add(buf, bytes, len);
	return 0;
}

/* A path as JSON has it; bytes that are no UTF-8 come as U+FFFD. Returns: owned. */
static json_t *path_json(const char *path)
{
	json_t *value = json_string(path);
	struct buf clean = { 0 };

	if (value)
		return value;
	for (; *path; path++)
		if ((unsigned char)*path < 0x80)
			buf_add_char(&clean, *path);
		else
			buf_add_str(&clean, "\xef\xbf\xbd");
	value = json_string(buf_str(&clean));
	buf_done(&clean);
	return value;
}

static json_t *to_json(const struct buf *records)
{
	json_t *all = json_object();
	const char *end = records->data + records->len;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		(void)json_object_set_new(all, kinds[i].member, json_array());
	for (const char *p = records->data; p < end; p += strlen(p) + 1)
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
			if (kinds[i].kind == *p)
				(void)json_array_append_new(json_object_get(all, kinds[i].member),
							    path_json(p + 1));
	return all;
}

static void print_lines(const struct buf *records)
{
	const char *end = records->data + records->len;
	struct buf out = { 0 };

	for (const char *p = records->data; p < end; p += strlen(p) + 1) {
		_cleanup_(freep) char *path = str_printable(p + 1, false);

		buf_printf(&out, "%c %s\n", *p, path);
	}
	cli_print(buf_str(&out));
	buf_done(&out);
}

static void print_json(const struct buf *records)
{
	json_t *all = to_json(records);
	char *text = json_dumps(all, JSON_INDENT(2) | JSON_SORT_KEYS);

	cli_print(text ? text : "{}");
	cli_print("\n");
	free(text);
	json_decref(all);
}

/* INSTANCE SNAPSHOT [SNAPSHOT], the first two perhaps joined by a slash. */
static char *request_path(const struct cli_args *args, char **ret_instance, struct err *err)
{
	_cleanup_(freep) char *name = NULL;
	_cleanup_(freep) char *to = NULL;
	_cleanup_(freep) char *suffix = NULL;
	size_t used;

	if (snapshot_words(args, ret_instance, &name, &used, err) < 0)
		return NULL;
	to = client_escape(args_word(args, used) ? args_word(args, used) : "");
	suffix = xasprintf("/diff?to=%s", to);
	return snapshot_path(*ret_instance, name, suffix);
}

static int run(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char *instance = NULL;
	_cleanup_(freep) char *path = NULL;
	enum table_format format;
	struct buf records = { 0 };
	struct err err = { 0 };
	int r;

	path = request_path(args, &instance, &err);
	if (!path || table_parse_format(args_get(args, "format"), &format, &err) < 0 ||
	    (format != TABLE_TABLE && format != TABLE_JSON &&
	     err_kind(&err, ERR_INVALID, "--format: table or json is expected") < 0))
		return cli_usage(args, &err);
	r = client_download(cli->client, path, NULL, collect, &records, &err);
	buf_add(&records, "", 1); /* ends the last record whatever came */
	records.len--;
	if (r == 0 && format == TABLE_JSON)
		print_json(&records);
	else if (r == 0)
		print_lines(&records);
	buf_done(&records);
	return r < 0 ? cli_fail(cli, instance, "snapshot diff", &err) : CLI_OK;
}

const struct cli_command cmd_snapshot_diff = {
	.path = "snapshot diff",
	.usage = "NAME SNAPSHOT [SNAPSHOT]",
	.summary = "Show which paths have changed since a snapshot, or between two",
	.text = "A added, C changed, D removed (with all that was below). Sizes, times, owners and\n"
		"modes are compared, not contents.",
	.example =
		"sysctr snapshot diff web1 snap0\nsysctr snapshot diff web1 snap0 snap1 --format json",
	.options = { options },
	.min_words = 1,
	.max_words = 3,
	.hints = { HINT_INSTANCE, HINT_SNAPSHOT, HINT_SNAPSHOT },
	.run = run,
};

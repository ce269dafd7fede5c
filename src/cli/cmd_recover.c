/* cli/cmd_recover.c - admin recover: instances back from their pools when the database is lost */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/table.h"
#include "codec/json.h"

static const struct cli_option options[] = {
	{ 0, "apply", NULL, "take in what can be recovered; without it nothing is changed",
	  HINT_NONE },
	{ 0 },
};

static const struct column columns[] = {
	{ 'n', "NAME", cell_text, "name", 0, NULL },
	{ 'p', "POOL", cell_text, "pool", 0, NULL },
	{ 'r', "RESULT", cell_upper, "result", 0, NULL },
	{ 'N', "NOTES", cell_lines, "notes", 0, NULL },
	{ 0 },
};

/* "recoverable", and a line for each note. */
static json_t *make_row(const char *name, const char *pool, const char *text)
{
	_cleanup_(strv_freep) char **lines = strv_split(text, "\n");
	json_t *notes = json_array();

	for (size_t i = 1; lines && lines[0] && lines[i]; i++)
		(void)json_array_append_new(notes, json_string(lines[i]));
	return json_pack("{ss ss ss so}", "name", name, "pool", pool, "result",
			 lines && lines[0] ? lines[0] : "", "notes", notes);
}

static int look_into(struct cli *cli, const char *pool, bool apply, json_t *rows, struct err *err)
{
	_cleanup_(freep) char *path = object_path(&object_pool, pool, "/recover");
	_cleanup_(json_decrefp) json_t *body = json_pack("{sb}", "apply", apply);
	_cleanup_(json_decrefp) json_t *operation = NULL;
	const char *name;
	json_t *text;
	int r = cli_operate(cli, "POST", path, body, &operation, err);

	if (r < 0)
		return r;
	json_object_foreach(json_object_get(operation, "metadata"), name, text)(void)
		json_array_append_new(rows, make_row(name, pool, json_string_value(text) ?: ""));
	return 0;
}

static int look_into_all(struct cli *cli, bool apply, json_t *rows)
{
	_cleanup_(json_decrefp) json_t *pools = NULL;
	struct err err = { 0 };
	int status = CLI_OK;
	json_t *pool;
	size_t i;

	if (client_get(cli->client, "/1.0/storage-pools?recursion=1", &pools, &err) < 0)
		return cli_fail(cli, NULL, "list the storage pools", &err);
	json_array_foreach(pools, i, pool)
	{
		const char *name = json_str(pool, "name", "");

		err = (struct err){ 0 };
		if (look_into(cli, name, apply, rows, &err) < 0)
			status = cli_fail(cli, name, "recover", &err);
	}
	return status;
}

static int look_into_named(struct cli *cli, const struct cli_args *args, bool apply, json_t *rows)
{
	int status = CLI_OK;

	for (size_t i = 0; i < args->n_words; i++) {
		struct err err = { 0 };

		if (look_into(cli, args->words[i], apply, rows, &err) < 0)
			status = cli_fail(cli, args->words[i], "recover", &err);
	}
	return status;
}

static bool has_result(const json_t *rows, const char *word)
{
	json_t *row;
	size_t i;

	json_array_foreach((json_t *)rows, i,
			   row) if (streq(json_str(row, "result", ""), word)) return true;
	return false;
}

static int run(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(object_list_done) struct object_list list = { 0 };
	_cleanup_(json_decrefp) json_t *rows = json_array();
	bool apply = args_has(args, "apply");
	int status;

	if (object_list_begin(&list, args, columns, "nprN") != CLI_OK)
		return CLI_USAGE;
	status = args->n_words > 0 ? look_into_named(cli, args, apply, rows)
				   : look_into_all(cli, apply, rows);
	if (json_array_size(rows) == 0) {
		if (status == CLI_OK)
			cli_say(cli, "The database knows every instance of these pools.");
		return status;
	}
	if (object_list_print(cli, args, &list, rows) != CLI_OK)
		return CLI_FAILED;
	if (has_result(rows, "recoverable"))
		cli_say(cli, "Nothing was changed. To take them in: sysctr admin recover --apply");
	return apply && has_result(rows, "refused") ? CLI_FAILED : status;
}

const struct cli_command cmd_admin_recover = {
	.path = "admin recover",
	.usage = "[POOL...]",
	.summary = "Find instances that the database has lost, and take them in again",
	.text = "Beside its root file system each instance has a side file with its configuration,\n"
		"its snapshots and its profiles. What the database does not know is shown; with\n"
		"--apply it comes back, stopped, with its snapshots, and with those of its profiles\n"
		"that are lost as well. Networks are to be made before. Columns: n name, p pool,\n"
		"r result, N notes.",
	.example = "sysctr admin recover\nsysctr admin recover --apply",
	.options = { options, object_list_options },
	.max_words = CLI_MANY,
	.hints = { HINT_POOL, HINT_POOL, HINT_POOL },
	.run = run,
};

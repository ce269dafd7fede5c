/* cli/cmd_recover.c - admin recover: what the database has lost, back from the pools */
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
	{ 0, "source", "PATH", "a pool from elsewhere: its directory or block device", HINT_FILE },
	{ 0, "driver", "DRIVER", "of that pool, where nothing in it tells", HINT_NONE },
	{ 0, "trusted", NULL, "take devices and keys that reach this host", HINT_NONE },
	{ 0 },
};

static const struct column columns[] = {
	{ 'n', "NAME", cell_text, "name", 0, NULL },
	{ 't', "TYPE", cell_text, "type", 0, NULL },
	{ 'p', "POOL", cell_text, "pool", 0, NULL },
	{ 'r', "RESULT", cell_upper, "result", 0, NULL },
	{ 'N', "NOTES", cell_lines, "notes", 0, NULL },
	{ 0 },
};

/* What is recovered, by what the daemon puts before its name. */
static const struct {
	const char *prefix;
	const char *type;
} types[] = {
	{ "storage-pools/", "storage-pool" },
	{ "storage-volumes/", "storage-volume" },
	{ "", "instance" },
};

struct recovery {
	struct cli *cli;
	const struct cli_args *args;
	bool apply;
	json_t *rows;
};

/* "recoverable", and a line for each note. */
static json_t *make_row(const char *name, const char *pool, const char *text)
{
	_cleanup_(strv_freep) char **lines = strv_split(text, "\n");
	json_t *notes = json_array();
	size_t type = 0;

	while (!str_after(name, types[type].prefix))
		type++;
	for (size_t i = 1; lines && lines[0] && lines[i]; i++)
		(void)json_array_append_new(notes, json_string(lines[i]));
	return json_pack("{ss ss ss ss so}", "name", str_after(name, types[type].prefix), "type",
			 types[type].type, "pool", pool, "result",
			 lines && lines[0] ? lines[0] : "", "notes", notes);
}

/* The pool of a lost one that had to say its name itself is the object of the operation. */
static const char *pool_of(const json_t *operation, const char *pool)
{
	const json_t *metadata = json_object_get(operation, "metadata");
	const char *name, *found = pool;
	json_t *text;

	json_object_foreach((json_t *)metadata, name, text)
	{
		if (str_after(name, types[0].prefix))
			found = str_after(name, types[0].prefix);
	}
	return found ? found : "";
}

static int look_into(struct recovery *recovery, const char *path, json_t *body, const char *pool,
		     struct err *err)
{
	_cleanup_(json_decrefp) json_t *operation = NULL;
	const char *name;
	json_t *text;
	int r;

	(void)json_object_set_new(body, "apply", json_boolean(recovery->apply));
	(void)json_object_set_new(body, "trusted",
				  json_boolean(args_has(recovery->args, "trusted")));
	r = cli_operate(recovery->cli, "POST", path, body, &operation, err);
	if (r < 0)
		return r;
	pool = pool_of(operation, pool);
	json_object_foreach(json_object_get(operation, "metadata"), name, text)(void)
		json_array_append_new(recovery->rows,
				      make_row(name, pool, json_string_value(text) ?: ""));
	return 0;
}

static int look_into_known(struct recovery *recovery, const char *pool, struct err *err)
{
	_cleanup_(freep) char *path = object_path(&object_pool, pool, "/recover");
	_cleanup_(json_decrefp) json_t *body = json_object();

	return look_into(recovery, path, body, pool, err);
}

static void set_given(json_t *body, const char *key, const char *value)
{
	if (value)
		(void)json_object_set_new(body, key, json_string(value));
}

/* @pool: NULL: the source says it. */
static int look_into_lost(struct recovery *recovery, const char *pool, struct err *err)
{
	_cleanup_(json_decrefp) json_t *body = json_object();

	set_given(body, "name", pool);
	set_given(body, "source", args_get(recovery->args, "source"));
	set_given(body, "driver", args_get(recovery->args, "driver"));
	return look_into(recovery, "/1.0/lost-storage-pools", body, pool, err);
}

static int look_into_one(struct recovery *recovery, const char *pool, struct err *err)
{
	_cleanup_(freep) char *path = object_path(&object_pool, pool, "");
	_cleanup_(json_decrefp) json_t *object = NULL;
	int r;

	if (args_has(recovery->args, "source"))
		return look_into_lost(recovery, pool, err);
	r = client_get(recovery->cli->client, path, &object, err);
	if (r == 0)
		return look_into_known(recovery, pool, err);
	if (err->kind != ERR_NOT_FOUND)
		return r;
	*err = (struct err){ 0 };
	return look_into_lost(recovery, pool, err);
}

/* A pool that is missing is one of those that are named, and no reason to forget the others. */
static void add_lost(struct recovery *recovery, const char *pool, const struct err *err)
{
	_cleanup_(freep) char *name = xasprintf("%s%s", types[0].prefix, pool);
	_cleanup_(freep) char *text = xasprintf("lost\n%s", err->msg);

	(void)json_array_append_new(recovery->rows, make_row(name, pool, text));
}

typedef int look_fn(struct recovery *recovery, const char *pool, struct err *err);

/* @pools: names, or objects that have one. */
static int look_into_each(struct recovery *recovery, const json_t *pools, look_fn *look)
{
	int status = CLI_OK;
	json_t *pool;
	size_t i;

	json_array_foreach((json_t *)pools, i, pool)
	{
		const char *name =
			json_is_string(pool) ? json_string_value(pool) : json_str(pool, "name", "");
		struct err err = { 0 };

		if (look(recovery, name, &err) < 0) {
			add_lost(recovery, name, &err);
			status = CLI_FAILED;
		}
	}
	return status;
}

/* Lost ones first: instances elsewhere may have volumes in them. */
static int look_into_all(struct recovery *recovery)
{
	struct client *client = recovery->cli->client;
	_cleanup_(json_decrefp) json_t *lost = NULL;
	_cleanup_(json_decrefp) json_t *known = NULL;
	struct err err = { 0 };
	int status;

	if (client_get(client, "/1.0/lost-storage-pools", &lost, &err) < 0 ||
	    client_get(client, "/1.0/storage-pools?recursion=1", &known, &err) < 0)
		return cli_fail(recovery->cli, NULL, "list the storage pools", &err);
	status = look_into_each(recovery, lost, look_into_lost);
	return look_into_each(recovery, known, look_into_known) != CLI_OK ? CLI_FAILED : status;
}

static int look_into_named(struct recovery *recovery)
{
	const struct cli_args *args = recovery->args;
	const char *source = args_get(args, "source");
	int status = CLI_OK;
	size_t n = args->n_words;

	for (size_t i = 0; i < n || (i == 0 && source); i++) {
		const char *pool = n > 0 ? args->words[i] : NULL;
		struct err err = { 0 };
		int r = pool ? look_into_one(recovery, pool, &err)
			     : look_into_lost(recovery, NULL, &err);

		if (r < 0)
			status = cli_fail(recovery->cli, pool ? pool : source, "recover", &err);
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

static int check_args(const struct cli_args *args, struct err *err)
{
	if (args_has(args, "source") && args->n_words > 1)
		return err_kind(err, ERR_INVALID, "--source is of one pool");
	if (args_has(args, "driver") && !args_has(args, "source") && args->n_words != 1)
		return err_kind(err, ERR_INVALID, "--driver is of one pool: name it");
	return 0;
}

static int show(struct recovery *recovery, struct object_list *list, int status)
{
	struct cli *cli = recovery->cli;

	if (json_array_size(recovery->rows) == 0) {
		if (status == CLI_OK)
			cli_say(cli, "The database knows all that is in these pools.");
		return status;
	}
	if (object_list_print(cli, recovery->args, list, recovery->rows) != CLI_OK)
		return CLI_FAILED;
	if (has_result(recovery->rows, "recoverable"))
		cli_say(cli, "Nothing was changed. To take them in, the same with --apply.");
	return recovery->apply && has_result(recovery->rows, "refused") ? CLI_FAILED : status;
}

static int run(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(object_list_done) struct object_list list = { 0 };
	_cleanup_(json_decrefp) json_t *rows = json_array();
	struct recovery recovery = {
		.cli = cli, .args = args, .apply = args_has(args, "apply"), .rows = rows
	};
	struct err err = { 0 };
	bool named = args->n_words > 0 || args_has(args, "source");

	if (check_args(args, &err) < 0)
		return cli_usage(args, &err);
	if (object_list_begin(&list, args, columns, "ntprN") != CLI_OK)
		return CLI_USAGE;
	return show(&recovery, &list,
		    named ? look_into_named(&recovery) : look_into_all(&recovery));
}

const struct cli_command cmd_admin_recover = {
	.path = "admin recover",
	.usage = "[POOL...]",
	.summary = "Find what the database has lost, and take it in again",
	.text = "Beside the database each storage pool is noted, and beside its root file system each\n"
		"instance has a side file with its configuration, its snapshots and its profiles;\n"
		"so has each custom volume. What the database does not know is shown; with --apply\n"
		"it comes back: pools are registered and mounted, volumes and instances are there\n"
		"as before, stopped, with their snapshots, and with those of their profiles that are\n"
		"lost as well. A pool that is not available is tried again. Networks are to be made\n"
		"before. What reaches this host (privileged containers, paths, raw keys) is named,\n"
		"and taken with --trusted. A disk from another host is named with --source.\n"
		"Columns: n name, t type, p pool, r result, N notes.",
	.example = "sysctr admin recover\n"
		   "sysctr admin recover --apply\n"
		   "sysctr admin recover old --source /dev/sdb1",
	.options = { options, object_list_options },
	.max_words = CLI_MANY,
	.hints = { HINT_POOL, HINT_POOL, HINT_POOL },
	.run = run,
};

/* cli/cmd_snapshot.c - snapshot: what instances were, and back to it */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/names.h"
#include "cli/object.h"
#include "cli/snapshot.h"
#include "cli/table.h"
#include "codec/json.h"
#include "spec/snapshot.h"

#define NEVER "0001-01-01T00:00:00Z"

static const char *const writable[] = { "expires_at", NULL };

char *snapshot_path(const char *instance, const char *snapshot, const char *suffix)
{
	_cleanup_(freep) char *path =
		client_path("/1.0/instances/%s/snapshots/%s", instance, snapshot);

	return xasprintf("%s%s", path, suffix);
}

int snapshot_words(const struct cli_args *args, char **ret_instance, char **ret_snapshot,
		   size_t *ret_used, struct err *err)
{
	const char *first = args_word(args, 0), *slash = strchr(first, '/');

	if (!slash && !args_word(args, 1))
		return err_kind(err, ERR_INVALID, "a snapshot is expected: %s/SNAPSHOT", first);
	*ret_instance = slash ? xstrndup(first, (size_t)(slash - first)) : xstrdup(first);
	*ret_snapshot = xstrdup(slash ? slash + 1 : args_word(args, 1));
	*ret_used = slash ? 1 : 2;
	return 0;
}

/* ---- create ---- */

static const struct cli_option create_options[] = {
	{ 0, "all", NULL, "all instances; the word is the snapshot's name then", HINT_NONE },
	{ 0, "reuse", NULL, "replace an older snapshot of that name", HINT_NONE },
	{ 0, "no-expiry", NULL, "keep it until it is deleted", HINT_NONE },
	{ 0, "expiry", "SPAN", "delete it after a time like 12H, 7d or \"1m 2w\"", HINT_NONE },
	{ 0 },
};

/* What --expiry and --no-expiry say, as "expires_at" of @body. */
static int add_expiry(const struct cli_args *args, json_t *body, struct err *err)
{
	const char *span = args_get(args, "expiry");
	char text[FMT_TIME_LEN];
	int64_t wall_ns;
	int r;

	if (args_has(args, "no-expiry")) {
		if (span)
			return err_kind(err, ERR_INVALID,
					"--expiry and --no-expiry exclude each other");
		(void)json_object_set_new(body, "expires_at", json_string(NEVER));
		return 0;
	}
	if (!span)
		return 0;
	r = snapshot_expiry(span, time_wall_ns(), &wall_ns, err);
	if (r < 0)
		return err_wrap(err, "--expiry \"%s\"", span);
	(void)json_object_set_new(body, "expires_at",
				  json_string(wall_ns > 0 ? fmt_time(text, wall_ns) : NEVER));
	return 0;
}

/* "web1: snapshot snap0 (paused for 12ms)". */
static void tell(struct cli *cli, const char *instance, const json_t *operation)
{
	const json_t *url = json_array_get(json_at(operation, "resources.instances_snapshots"), 0);
	const char *path = json_string_value(url), *name = path ? strrchr(path, '/') : NULL;
	const char *pause = json_str(json_object_get(operation, "metadata"), "pause_ms", NULL);

	if (name && pause)
		cli_say(cli, "%s: snapshot %s (paused for %sms)", instance, name + 1, pause);
	else if (name)
		cli_say(cli, "%s: snapshot %s", instance, name + 1);
}

static int create_one(struct cli *cli, const struct cli_args *args, const char *instance,
		      const char *name)
{
	_cleanup_(freep) char *path = object_path(&object_instance, instance, "/snapshots");
	_cleanup_(json_decrefp) json_t *body = json_pack("{sssbsb}", "name", name, "stateful", 0,
							 "replace", args_has(args, "reuse"));
	_cleanup_(json_decrefp) json_t *operation = NULL;
	struct err err = { 0 };
	int r = add_expiry(args, body, &err);

	if (r < 0)
		return cli_usage(args, &err);
	r = cli_operate(cli, "POST", path, body, &operation, &err);
	if (r < 0)
		return object_fail(cli, &object_instance, instance, "snapshot", &err);
	tell(cli, instance, operation);
	return CLI_OK;
}

static int create_all(struct cli *cli, const struct cli_args *args)
{
	const struct cli_args no_words = { .command = args->command,
					   .values = args->values,
					   .n_values = args->n_values };
	_cleanup_(strv_freep) char **names = NULL;
	struct err err = { 0 };
	int status = CLI_OK;

	if (args->n_words > 1) {
		(void)err_kind(&err, ERR_INVALID, "--all takes no names of instances");
		return cli_usage(args, &err);
	}
	if (names_choose(cli, &no_words, NULL, &names, &err) < 0)
		return cli_fail(cli, NULL, "snapshot", &err);
	for (char **name = names; name && *name; name++) {
		int r = create_one(cli, args, *name, args->n_words > 0 ? args->words[0] : "");

		status = r == CLI_OK ? status : r;
	}
	return status;
}

static int run_create(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char *instance = NULL;
	_cleanup_(freep) char *name = NULL;
	struct err err = { 0 };
	size_t used;

	if (args_has(args, "all"))
		return create_all(cli, args);
	if (args->n_words == 0) {
		(void)err_kind(&err, ERR_INVALID, "a name or --all is expected");
		return cli_usage(args, &err);
	}
	if (args->n_words == 1 && !strchr(args->words[0], '/'))
		return create_one(cli, args, args->words[0], "");
	(void)snapshot_words(args, &instance, &name, &used, &err);
	return create_one(cli, args, instance, name);
}

/* ---- list, show, edit ---- */

void cell_expiry(const json_t *row, const char *key, struct buf *out)
{
	if (str_after(json_str(row, key, NEVER), "0001-"))
		buf_add_str(out, "-");
	else
		cell_time(row, key, out);
}

static const struct column columns[] = {
	{ 'n', "NAME", cell_text, "name", 0, NULL },
	{ 't', "TAKEN AT", cell_time, "created_at", 0, NULL },
	{ 'e', "EXPIRES AT", cell_expiry, "expires_at", 0, NULL },
	{ 'S', "SCHEDULED", cell_yes_no, "scheduled", 0, NULL },
	{ 's', "SIZE", cell_bytes, "size", COLUMN_RIGHT, NULL },
	{ 0 },
};

static int run_list(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char *path =
		object_path(&object_instance, args->words[0], "/snapshots?recursion=1");

	return object_run_list(cli, args, path, columns, "nteSs");
}

/* One verb on one snapshot, which is an object of a kind of its own. */
static int on_one(struct cli *cli, const struct cli_args *args,
		  int (*verb)(struct cli *cli, const struct object_kind *kind, const char *name))
{
	_cleanup_(freep) char *instance = NULL;
	_cleanup_(freep) char *name = NULL;
	_cleanup_(freep) char *collection = NULL;
	struct object_kind kind = { .word = "snapshot", .writable = writable };
	struct err err = { 0 };
	size_t used;

	if (snapshot_words(args, &instance, &name, &used, &err) < 0)
		return cli_usage(args, &err);
	kind.collection = collection = object_path(&object_instance, instance, "/snapshots");
	return verb(cli, &kind, name);
}

static int show(struct cli *cli, const struct object_kind *kind, const char *name)
{
	_cleanup_(json_decrefp) json_t *value = NULL;
	struct err err = { 0 };

	if (object_get(cli, kind, name, &value, NULL, &err) < 0)
		return object_fail(cli, kind, name, "show", &err);
	return object_show(value);
}

static int run_show(struct cli *cli, const struct cli_args *args)
{
	return on_one(cli, args, show);
}

static int run_edit(struct cli *cli, const struct cli_args *args)
{
	return on_one(cli, args, object_run_edit);
}

/* ---- restore, rename, delete ---- */

static const struct cli_option restore_options[] = {
	{ 0, "diskonly", NULL, "keep the configuration as it is now", HINT_NONE },
	{ 0 },
};

static int run_restore(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char *instance = NULL;
	_cleanup_(freep) char *name = NULL;
	_cleanup_(freep) char *path = NULL;
	_cleanup_(freep) char *both = NULL;
	_cleanup_(json_decrefp) json_t *body = NULL;
	struct err err = { 0 };
	size_t used;

	if (snapshot_words(args, &instance, &name, &used, &err) < 0)
		return cli_usage(args, &err);
	path = object_path(&object_instance, instance, "");
	both = xasprintf("%s/%s", instance, name);
	body = json_pack("{sssb}", "restore", both, "disk_only", args_has(args, "diskonly"));
	if (cli_operate(cli, "PUT", path, body, NULL, &err) < 0)
		return object_fail(cli, &object_instance, instance, "restore", &err);
	return CLI_OK;
}

static int run_rename(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char *instance = NULL;
	_cleanup_(freep) char *name = NULL;
	_cleanup_(freep) char *path = NULL;
	_cleanup_(json_decrefp) json_t *body = NULL;
	struct err err = { 0 };
	size_t used;

	if (snapshot_words(args, &instance, &name, &used, &err) < 0 ||
	    (!args_word(args, used) && err_kind(&err, ERR_INVALID, "a new name is expected") < 0))
		return cli_usage(args, &err);
	path = snapshot_path(instance, name, "");
	body = json_pack("{ss}", "name", args_word(args, used));
	if (cli_operate(cli, "POST", path, body, NULL, &err) < 0)
		return cli_fail(cli, instance, "rename snapshot", &err);
	return CLI_OK;
}

static int delete_one(struct cli *cli, const char *instance, const char *name)
{
	_cleanup_(freep) char *path = snapshot_path(instance, name, "");
	struct err err = { 0 };

	if (cli_operate(cli, "DELETE", path, NULL, NULL, &err) < 0)
		return cli_fail(cli, instance, "delete snapshot", &err);
	return CLI_OK;
}

/* INSTANCE SNAPSHOT..., or INSTANCE/SNAPSHOT... */
static int run_delete(struct cli *cli, const struct cli_args *args)
{
	bool joined = strchr(args->words[0], '/') != NULL;
	struct err err = { 0 };
	int status = CLI_OK;

	if (!joined && args->n_words < 2) {
		(void)err_kind(&err, ERR_INVALID, "a snapshot is expected");
		return cli_usage(args, &err);
	}
	for (size_t i = joined ? 0 : 1; i < args->n_words; i++) {
		const char *word = args->words[i], *slash = joined ? strchr(word, '/') : NULL;
		_cleanup_(freep) char *instance =
			slash ? xstrndup(word, (size_t)(slash - word)) : xstrdup(args->words[0]);

		if (delete_one(cli, instance, slash ? slash + 1 : word) != CLI_OK)
			status = CLI_FAILED;
	}
	return status;
}

/* ---- plan ---- */

static void cell_next(const json_t *row, const char *key, struct buf *out)
{
	if (json_is_string(json_object_get(row, key)))
		cell_time(row, key, out);
	else
		buf_add_str(out, "-");
}

/* "web1", or "pool/data". */
static void cell_owner(const json_t *row, const char *key, struct buf *out)
{
	cell_text(row, json_object_get(row, key) ? key : "volume", out);
}

static const struct column plan_columns[] = {
	{ 'n', "NAME", cell_owner, "instance", 0, NULL },
	{ 's', "SCHEDULE", cell_text, "schedule", 0, NULL },
	{ 'k', "KEEP", cell_text, "keep", 0, NULL },
	{ 't', "NEXT RUN", cell_next, "next_run", 0, NULL },
	{ 'S', "SKIPPED", cell_yes_no, "skipped_now", 0, NULL },
	{ 'p', "GOES BEFORE", cell_lines, "prune", 0, NULL },
	{ 0 },
};

static int run_plan(struct cli *cli, const struct cli_args *args)
{
	const char *name = args_word(args, 0);
	const char *what = name && strchr(name, '/') ? "volume" : "instance";
	_cleanup_(freep) char *path = name ? client_path("/1.0/snapshot-plan?%s=%s", what, name)
					   : xstrdup("/1.0/snapshot-plan");

	return object_run_list(cli, args, path, plan_columns, "nstSp");
}

const struct cli_command cmd_snapshot_plan = {
	.path = "snapshot plan",
	.usage = "[NAME | POOL/VOLUME]",
	.summary = "Show when the next snapshots are made, and what goes before that",
	.text = "Without a name: of all instances, and of those custom volumes that have a schedule.\n"
		"Columns: n name, s schedule, k keep, t next run, S skipped because it is stopped,\n"
		"p what is deleted before the run.",
	.example =
		"sysctr config set web1 snapshots.schedule=@hourly snapshots.keep=\"hourly=24\"\n"
		"sysctr snapshot plan web1\n"
		"sysctr storage volume set default data snapshots.schedule=@daily\n"
		"sysctr snapshot plan default/data",
	.options = { object_list_options },
	.max_words = 1,
	.hints = { HINT_PLANNED },
	.run = run_plan,
};

const struct cli_command cmd_snapshot_create = {
	.path = "snapshot create",
	.aliases = "snapshot",
	.usage = "NAME [SNAPSHOT]",
	.summary = "Keep what an instance is now",
	.text = "A running instance goes on working while it is copied and holds still only for\n"
		"what has changed meanwhile. Without a name snapshots.pattern gives one. A line for\n"
		"/etc/cron.d, where PATH has no /usr/local/bin:\n"
		"  0 3 * * * root /usr/local/bin/sysctr snapshot create --all --reuse -q nightly",
	.example = "sysctr snapshot create web1\nsysctr snapshot web1 before-upgrade --expiry 7d",
	.options = { create_options },
	.max_words = 2,
	.hints = { HINT_INSTANCE, HINT_NONE },
	.run = run_create,
};

const struct cli_command cmd_snapshot_list = {
	.path = "snapshot list",
	.aliases = "snapshot ls",
	.usage = "NAME",
	.summary = "List the snapshots of an instance",
	.text = "Columns: n name, t taken at, e expires at, S scheduled, s size.",
	.example = "sysctr snapshot list web1 --format json",
	.options = { object_list_options },
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_INSTANCE },
	.run = run_list,
};

const struct cli_command cmd_snapshot_show = {
	.path = "snapshot show",
	.aliases = "snapshot info",
	.usage = "NAME SNAPSHOT",
	.summary = "Show a snapshot as YAML",
	.example = "sysctr snapshot show web1 snap0",
	.min_words = 1,
	.max_words = 2,
	.hints = { HINT_INSTANCE, HINT_SNAPSHOT },
	.run = run_show,
};

const struct cli_command cmd_snapshot_restore = {
	.path = "snapshot restore",
	.aliases = "restore",
	.usage = "NAME SNAPSHOT",
	.summary = "Make an instance what it was",
	.text = "A running instance is stopped at once and started again. Other snapshots stay.",
	.example = "sysctr snapshot restore web1 snap0\nsysctr restore web1 snap0 --diskonly",
	.options = { restore_options },
	.min_words = 1,
	.max_words = 2,
	.hints = { HINT_INSTANCE, HINT_SNAPSHOT },
	.run = run_restore,
};

const struct cli_command cmd_snapshot_rename = {
	.path = "snapshot rename",
	.aliases = "snapshot mv",
	.usage = "NAME SNAPSHOT NEW-NAME",
	.summary = "Rename a snapshot",
	.example = "sysctr snapshot rename web1 snap0 before-upgrade",
	.min_words = 2,
	.max_words = 3,
	.hints = { HINT_INSTANCE, HINT_SNAPSHOT, HINT_NONE },
	.run = run_rename,
};

const struct cli_command cmd_snapshot_delete = {
	.path = "snapshot delete",
	.aliases = "snapshot rm",
	.usage = "NAME SNAPSHOT...",
	.summary = "Delete snapshots",
	.example = "sysctr snapshot delete web1 snap0 snap1\nsysctr snapshot delete web1/snap0",
	.min_words = 1,
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE, HINT_SNAPSHOT },
	.run = run_delete,
};

const struct cli_command cmd_snapshot_edit = {
	.path = "snapshot edit",
	.usage = "NAME SNAPSHOT",
	.summary = "Change when a snapshot expires",
	.text = "From an editor, or from standard input:\n"
		"  echo 'expires_at: 2027-01-01T00:00:00Z' | sysctr snapshot edit web1 snap0",
	.example = "sysctr snapshot edit web1 snap0",
	.min_words = 1,
	.max_words = 2,
	.hints = { HINT_INSTANCE, HINT_SNAPSHOT },
	.run = run_edit,
};

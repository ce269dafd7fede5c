/* cli/cmd_storage_snapshot.c - storage volume snapshot: what custom volumes were, and back to it */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/snapshot.h"
#include "cli/storage_volume.h"
#include "cli/table.h"
#include "codec/json.h"

static const char *const writable[] = { "description", NULL };

/* The volume of the first two words, its snapshots as a kind of object of their own. */
struct target {
	struct volume_kind volumes;
	const char *volume;
	char *collection;
	struct object_kind kind;
};

static void target_done(struct target *target)
{
	volume_kind_done(&target->volumes);
	free(target->collection);
}

static int target_init(struct target *target, const struct cli_args *args, struct err *err)
{
	volume_kind_init(&target->volumes, args->words[0]);
	if (volume_name(args->words[1], &target->volume, err) < 0)
		return -EINVAL;
	target->collection = object_path(&target->volumes.kind, target->volume, "/snapshots");
	target->kind = (struct object_kind){ .word = "snapshot",
					     .collection = target->collection,
					     .config = "config",
					     .writable = writable };
	return 0;
}

/* ---- create ---- */

static const struct cli_option create_options[] = {
	{ 0, "description", "TEXT", "what it is for", HINT_NONE },
	{ 0 },
};

/* "data: snapshot snap0". */
static void tell(struct cli *cli, const char *volume, const json_t *operation)
{
	const json_t *url =
		json_array_get(json_at(operation, "resources.storage_volume_snapshots"), 0);
	const char *path = json_string_value(url), *name = path ? strrchr(path, '/') : NULL;

	if (name)
		cli_say(cli, "%s: snapshot %s", volume, name + 1);
}

static int run_create(struct cli *cli, const struct cli_args *args)
{
	const char *name = args_word(args, 2), *description = args_get(args, "description");
	_cleanup_(target_done) struct target target = { 0 };
	_cleanup_(json_decrefp) json_t *operation = NULL;
	_cleanup_(json_decrefp) json_t *body =
		json_pack("{ssss}", "name", name ? name : "", "description",
			  description ? description : "");
	struct err err = { 0 };

	if (target_init(&target, args, &err) < 0)
		return cli_usage(args, &err);
	if (cli_operate(cli, "POST", target.collection, body, &operation, &err) < 0)
		return object_fail(cli, &target.volumes.kind, target.volume, "snapshot", &err);
	tell(cli, target.volume, operation);
	return CLI_OK;
}

/* ---- list, show ---- */

/* Without the volume's, which the API has before it. */
static void cell_name(const json_t *row, const char *key, struct buf *out)
{
	const char *name = json_str(row, key, ""), *slash = strrchr(name, '/');

	buf_add_str(out, slash ? slash + 1 : name);
}

static const struct column columns[] = {
	{ 'n', "NAME", cell_name, "name", 0, NULL },
	{ 't', "TAKEN AT", cell_time, "created_at", 0, NULL },
	{ 'e', "EXPIRES AT", cell_expiry, "expires_at", 0, NULL },
	{ 'S', "SCHEDULED", cell_yes_no, "scheduled", 0, NULL },
	{ 'd', "DESCRIPTION", cell_text, "description", 0, NULL },
	{ 's', "SIZE", cell_bytes, "size", COLUMN_RIGHT, NULL },
	{ 0 },
};

static int run_list(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(target_done) struct target target = { 0 };
	_cleanup_(freep) char *path = NULL;
	struct err err = { 0 };

	if (target_init(&target, args, &err) < 0)
		return cli_usage(args, &err);
	path = xasprintf("%s?recursion=1", target.collection);
	return object_run_list(cli, args, path, columns, "nteSds");
}

static int run_show(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(target_done) struct target target = { 0 };
	_cleanup_(json_decrefp) json_t *value = NULL;
	struct err err = { 0 };

	if (target_init(&target, args, &err) < 0)
		return cli_usage(args, &err);
	if (object_get(cli, &target.kind, args->words[2], &value, NULL, &err) < 0)
		return object_fail(cli, &target.kind, args->words[2], "show", &err);
	return object_show(value);
}

/* ---- restore, rename, delete ---- */

static int run_restore(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(target_done) struct target target = { 0 };
	_cleanup_(freep) char *path = NULL;
	_cleanup_(json_decrefp) json_t *body = json_pack("{ss}", "restore", args->words[2]);
	struct err err = { 0 };

	if (target_init(&target, args, &err) < 0)
		return cli_usage(args, &err);
	path = object_path(&target.volumes.kind, target.volume, "");
	if (cli_operate(cli, "PUT", path, body, NULL, &err) < 0)
		return object_fail(cli, &target.volumes.kind, target.volume, "restore", &err);
	return CLI_OK;
}

static int run_rename(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(target_done) struct target target = { 0 };
	_cleanup_(freep) char *path = NULL;
	_cleanup_(json_decrefp) json_t *body = json_pack("{ss}", "name", args->words[3]);
	struct err err = { 0 };

	if (target_init(&target, args, &err) < 0)
		return cli_usage(args, &err);
	path = object_path(&target.kind, args->words[2], "");
	if (cli_operate(cli, "POST", path, body, NULL, &err) < 0)
		return object_fail(cli, &target.kind, args->words[2], "rename", &err);
	return CLI_OK;
}

static int run_delete(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(target_done) struct target target = { 0 };
	struct err err = { 0 };
	int status = CLI_OK;

	if (target_init(&target, args, &err) < 0)
		return cli_usage(args, &err);
	for (size_t i = 2; i < args->n_words; i++) {
		_cleanup_(freep) char *path = object_path(&target.kind, args->words[i], "");

		err = (struct err){ 0 };
		if (cli_operate(cli, "DELETE", path, NULL, NULL, &err) < 0)
			status = object_fail(cli, &target.kind, args->words[i], "delete", &err);
	}
	return status;
}

const struct cli_command cmd_storage_snapshot_create = {
	.path = "storage volume snapshot create",
	.usage = "POOL VOLUME [SNAPSHOT]",
	.summary = "Keep what a custom volume is now",
	.text = "Of a volume that instances write to meanwhile, files are copied as they are read;\n"
		"on btrfs the snapshot is of one moment.",
	.example = "sysctr storage volume snapshot create default data before-upgrade",
	.options = { create_options },
	.min_words = 2,
	.max_words = 3,
	.hints = { HINT_POOL, HINT_VOLUME, HINT_NONE },
	.run = run_create,
};

const struct cli_command cmd_storage_snapshot_list = {
	.path = "storage volume snapshot list",
	.aliases = "storage volume snapshot ls",
	.usage = "POOL VOLUME",
	.summary = "List the snapshots of a custom volume",
	.text = "Columns: n name, t taken at, e expires at, S scheduled, d description, s size.",
	.example = "sysctr storage volume snapshot list default data",
	.options = { object_list_options },
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_POOL, HINT_VOLUME },
	.run = run_list,
};

const struct cli_command cmd_storage_snapshot_show = {
	.path = "storage volume snapshot show",
	.usage = "POOL VOLUME SNAPSHOT",
	.summary = "Show a snapshot of a custom volume as YAML",
	.example = "sysctr storage volume snapshot show default data snap0",
	.min_words = 3,
	.max_words = 3,
	.hints = { HINT_POOL, HINT_VOLUME, HINT_NONE },
	.run = run_show,
};

const struct cli_command cmd_storage_snapshot_restore = {
	.path = "storage volume snapshot restore",
	.aliases = "storage volume restore",
	.usage = "POOL VOLUME SNAPSHOT",
	.summary = "Make a custom volume what it was",
	.text = "No instance that has it may run meanwhile. Other snapshots stay.",
	.example = "sysctr storage volume snapshot restore default data snap0",
	.min_words = 3,
	.max_words = 3,
	.hints = { HINT_POOL, HINT_VOLUME, HINT_NONE },
	.run = run_restore,
};

const struct cli_command cmd_storage_snapshot_rename = {
	.path = "storage volume snapshot rename",
	.usage = "POOL VOLUME SNAPSHOT NEW-NAME",
	.summary = "Rename a snapshot of a custom volume",
	.example = "sysctr storage volume snapshot rename default data snap0 old",
	.min_words = 4,
	.max_words = 4,
	.hints = { HINT_POOL, HINT_VOLUME, HINT_NONE },
	.run = run_rename,
};

const struct cli_command cmd_storage_snapshot_delete = {
	.path = "storage volume snapshot delete",
	.aliases = "storage volume snapshot rm",
	.usage = "POOL VOLUME SNAPSHOT...",
	.summary = "Delete snapshots of a custom volume",
	.example = "sysctr storage volume snapshot delete default data snap0",
	.min_words = 3,
	.max_words = CLI_MANY,
	.hints = { HINT_POOL, HINT_VOLUME, HINT_NONE },
	.run = run_delete,
};

/* cli/cmd_storage_volume.c - storage volume: the custom volumes of a pool */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/storage_volume.h"
#include "cli/table.h"
#include "codec/json.h"

static const char *const writable[] = { "config", "description", NULL };

void volume_kind_init(struct volume_kind *ret_kind, const char *pool)
{
	ret_kind->collection = client_path("/1.0/storage-pools/%s/volumes/custom", pool);
	ret_kind->kind = (struct object_kind){ .word = "storage volume",
					       .collection = ret_kind->collection,
					       .config = "config",
					       .writable = writable };
}

void volume_kind_done(struct volume_kind *kind)
{
	free(kind->collection);
}

int volume_name(const char *word, const char **ret_name, struct err *err)
{
	const char *name = str_after(word, "custom/");

	if (!name && strchr(word, '/'))
		return err_kind(err, ERR_INVALID,
				"\"%s\": only custom volumes are handled here, see \"sysctr "
				"config\" and \"sysctr image\" for others",
				word);
	*ret_name = name ? name : word;
	return 0;
}

/* One verb on the volume that the first two words name. */
static int on_one(struct cli *cli, const struct cli_args *args,
		  int (*verb)(struct cli *cli, const struct object_kind *kind, const char *name,
			      char **words))
{
	_cleanup_(volume_kind_done) struct volume_kind kind;
	struct err err = { 0 };
	const char *name = NULL;

	volume_kind_init(&kind, args->words[0]);
	if (volume_name(args->words[1], &name, &err) < 0)
		return cli_usage(args, &err);
	return verb(cli, &kind.kind, name, args->words + 2);
}

/* ---- list, show, info ---- */

static const struct column columns[] = {
	{ 't', "TYPE", cell_text, "type", 0, NULL },
	{ 'n', "NAME", cell_text, "name", 0, NULL },
	{ 'd', "DESCRIPTION", cell_text, "description", 0, NULL },
	{ 'u', "USED BY", cell_count, "used_by", COLUMN_RIGHT, NULL },
	{ 'C', "CREATED AT", cell_time, "created_at", 0, NULL },
	{ 0 },
};

static const struct cli_option list_more[] = {
	{ 0, "all", NULL, "the volumes of instances and images too", HINT_NONE },
	{ 0 },
};

static int run_list(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char *path =
		client_path(args_has(args, "all")
				    ? "/1.0/storage-pools/%s/volumes?recursion=1"
				    : "/1.0/storage-pools/%s/volumes/custom?recursion=1",
			    args->words[0]);

	return object_run_list(cli, args, path, columns, "tnduC");
}

static int show(struct cli *cli, const struct object_kind *kind, const char *name, char **words)
{
	_cleanup_(json_decrefp) json_t *value = NULL;
	struct err err = { 0 };

	(void)words;
	if (object_get(cli, kind, name, &value, NULL, &err) < 0)
		return object_fail(cli, kind, name, "show", &err);
	return object_show(value);
}

static int run_show(struct cli *cli, const struct cli_args *args)
{
	return on_one(cli, args, show);
}

static void add_users(const json_t *volume, struct buf *text)
{
	json_t *url;
	size_t i;

	json_array_foreach(json_object_get(volume, "used_by"), i, url)
		buf_printf(text, "%s  %s\n", i == 0 ? "Used by:\n" : "",
			   str_after(json_string_value(url), "/1.0/") ?: json_string_value(url));
}

/* "12.00MiB of 64.00MiB" */
static void add_usage(const json_t *usage, struct buf *text)
{
	uint64_t total = (uint64_t)json_i64(usage, "total", 0);
	char bytes[FMT_BYTES_LEN];

	buf_printf(text, "Usage: %s", fmt_bytes(bytes, (uint64_t)json_i64(usage, "used", 0)));
	if (total > 0)
		buf_printf(text, " of %s", fmt_bytes(bytes, total));
	buf_add_char(text, '\n');
}

static int info(struct cli *cli, const struct object_kind *kind, const char *name, char **words)
{
	_cleanup_(freep) char *state_path = object_path(kind, name, "/state");
	_cleanup_(freep) char *snaps_path = object_path(kind, name, "/snapshots");
	_cleanup_(json_decrefp) json_t *volume = NULL;
	_cleanup_(json_decrefp) json_t *state = NULL;
	_cleanup_(json_decrefp) json_t *snaps = NULL;
	struct buf text = { 0 };
	struct err err = { 0 };

	(void)words;
	if (object_get(cli, kind, name, &volume, NULL, &err) < 0 ||
	    client_get(cli->client, state_path, &state, &err) < 0 ||
	    client_get(cli->client, snaps_path, &snaps, &err) < 0)
		return object_fail(cli, kind, name, "info", &err);
	buf_printf(&text, "Name: %s\nType: custom\n", name);
	add_usage(json_at(state, "usage"), &text);
	buf_printf(&text, "Snapshots: %zu\n", json_array_size(snaps));
	add_users(volume, &text);
	cli_print(buf_str(&text));
	buf_done(&text);
	return CLI_OK;
}

static int run_info(struct cli *cli, const struct cli_args *args)
{
	return on_one(cli, args, info);
}

/* ---- keys ---- */

static int get(struct cli *cli, const struct object_kind *kind, const char *name, char **words)
{
	return object_run_get(cli, kind, name, words[0]);
}

static int edit(struct cli *cli, const struct object_kind *kind, const char *name, char **words)
{
	(void)words;
	return object_run_edit(cli, kind, name);
}

static int run_get(struct cli *cli, const struct cli_args *args)
{
	return on_one(cli, args, get);
}

static int run_set(struct cli *cli, const struct cli_args *args)
{
	return on_one(cli, args, object_run_set);
}

static int run_unset(struct cli *cli, const struct cli_args *args)
{
	return on_one(cli, args, object_run_unset);
}

static int run_edit(struct cli *cli, const struct cli_args *args)
{
	return on_one(cli, args, edit);
}

/* ---- create, copy, move, rename, delete ---- */

static const struct cli_option create_options[] = {
	{ 0, "description", "TEXT", "what it is for", HINT_NONE },
	{ 0 },
};

static json_t *new_body(const struct cli_args *args, const char *name)
{
	const char *description = args_get(args, "description");

	return json_pack("{sssssss{}}", "name", name, "type", "custom", "description",
			 description ? description : "", "config");
}

static int run_create(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(volume_kind_done) struct volume_kind kind;
	_cleanup_(json_decrefp) json_t *body = NULL;
	struct err err = { 0 };
	const char *name = NULL;
	int r;

	volume_kind_init(&kind, args->words[0]);
	if (volume_name(args->words[1], &name, &err) < 0)
		return cli_usage(args, &err);
	body = new_body(args, name);
	r = pairs_apply(args->words + 2, json_object_get(body, "config"), &err);
	if (r == 0)
		r = cli_operate(cli, "POST", kind.collection, body, NULL, &err);
	return r < 0 ? cli_fail(cli, name, "create", &err) : CLI_OK;
}

/* "pool/volume", or "pool/volume/snapshot". */
static int split(const char *word, char ***ret_parts, size_t most, struct err *err)
{
	size_t n;

	*ret_parts = strv_split(word, "/");
	n = strv_len(*ret_parts);
	if (n >= 2 && n <= most && !str_empty((*ret_parts)[0]) && !str_empty((*ret_parts)[1]))
		return 0;
	return err_kind(err, ERR_INVALID, "\"%s\" is not POOL/VOLUME%s", word,
			most > 2 ? "[/SNAPSHOT]" : "");
}

static const struct cli_option copy_options[] = {
	{ 0, "volume-only", NULL, "without its snapshots", HINT_NONE },
	{ 0 },
};

static int run_copy(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(strv_freep) char **from = NULL;
	_cleanup_(strv_freep) char **to = NULL;
	_cleanup_(freep) char *origin = NULL;
	_cleanup_(freep) char *path = NULL;
	_cleanup_(json_decrefp) json_t *body = NULL;
	struct err err = { 0 };

	if (split(args->words[0], &from, 3, &err) < 0 || split(args->words[1], &to, 2, &err) < 0)
		return cli_usage(args, &err);
	origin = xasprintf("%s%s%s", from[1], from[2] ? "/" : "", from[2] ? from[2] : "");
	body = new_body(args, to[1]);
	(void)json_object_set_new(body, "source",
				  json_pack("{sssssssb}", "type", "copy", "pool", from[0], "name",
					    origin, "volume_only", args_has(args, "volume-only")));
	path = client_path("/1.0/storage-pools/%s/volumes/custom", to[0]);
	if (cli_operate(cli, "POST", path, body, NULL, &err) < 0)
		return cli_fail(cli, args->words[0], "copy", &err);
	return CLI_OK;
}

static const struct cli_option move_options[] = {
	{ 0, "volume-only", NULL, "without its snapshots, which go", HINT_NONE },
	{ 0 },
};

static int run_move(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(strv_freep) char **from = NULL;
	_cleanup_(strv_freep) char **to = NULL;
	_cleanup_(freep) char *path = NULL;
	_cleanup_(json_decrefp) json_t *body = NULL;
	struct err err = { 0 };

	if (split(args->words[0], &from, 2, &err) < 0 || split(args->words[1], &to, 2, &err) < 0)
		return cli_usage(args, &err);
	path = client_path("/1.0/storage-pools/%s/volumes/custom/%s", from[0], from[1]);
	body = json_pack("{sssssb}", "name", to[1], "pool", to[0], "volume_only",
			 args_has(args, "volume-only"));
	if (cli_operate(cli, "POST", path, body, NULL, &err) < 0)
		return cli_fail(cli, args->words[0], "move", &err);
	return CLI_OK;
}

static int rename_one(struct cli *cli, const struct object_kind *kind, const char *name,
		      char **words)
{
	_cleanup_(freep) char *path = object_path(kind, name, "");
	_cleanup_(json_decrefp) json_t *body = json_pack("{ss}", "name", words[0]);
	struct err err = { 0 };

	if (cli_operate(cli, "POST", path, body, NULL, &err) < 0)
		return object_fail(cli, kind, name, "rename", &err);
	return CLI_OK;
}

static int run_rename(struct cli *cli, const struct cli_args *args)
{
	return on_one(cli, args, rename_one);
}

static const struct cli_option delete_options[] = { OPTION_FORGET, { 0 } };

static int run_delete(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(volume_kind_done) struct volume_kind kind;
	int status = CLI_OK;

	volume_kind_init(&kind, args->words[0]);
	for (size_t i = 1; i < args->n_words; i++) {
		_cleanup_(freep) char *path = NULL;
		struct err err = { 0 };
		const char *name = NULL;

		if (volume_name(args->words[i], &name, &err) < 0)
			return cli_usage(args, &err);
		path = object_path(&kind.kind, name, forget_suffix(args));
		if (cli_operate(cli, "DELETE", path, NULL, NULL, &err) < 0)
			status = object_fail(cli, &kind.kind, name, "delete", &err);
		else
			say_forgotten(cli, args, name);
	}
	return status;
}

/* ---- attach, detach ---- */

struct attachment {
	const char *pool, *volume, *device, *path;
};

static json_t *devices_of(json_t *value)
{
	json_t *devices = json_object_get(value, "devices");

	if (!json_is_object(devices)) {
		devices = json_object();
		(void)json_object_set_new(value, "devices", devices);
	}
	return devices;
}

static int attach(void *data, json_t *value, struct err *err)
{
	const struct attachment *a = data;
	json_t *devices = devices_of(value);

	if (json_object_get(devices, a->device))
		return err_kind(err, ERR_CONFLICT, "it has a device \"%s\" already", a->device);
	(void)json_object_set_new(devices, a->device,
				  json_pack("{ssssssss}", "type", "disk", "pool", a->pool, "source",
					    a->volume, "path", a->path));
	return 0;
}

static bool is_attached(const json_t *device, const struct attachment *a)
{
	return streq(json_str(device, "pool", ""), a->pool) &&
	       streq(json_str(device, "source", ""), a->volume);
}

/* The device that was named, else the one that has the volume. */
static int detach(void *data, json_t *value, struct err *err)
{
	const struct attachment *a = data;
	json_t *devices = devices_of(value), *device;
	const char *name, *found = NULL;
	size_t n = 0;

	json_object_foreach(devices, name, device)
	{
		if (is_attached(device, a) && (!a->device || streq(a->device, name))) {
			found = name;
			n++;
		}
	}
	if (n == 0)
		return err_kind(err, ERR_NOT_FOUND, "volume \"%s\" of pool \"%s\" is not attached",
				a->volume, a->pool);
	if (n > 1)
		return err_kind(err, ERR_INVALID,
				"more than one device has the volume: name the one to be removed");
	(void)json_object_del(devices, found);
	return 0;
}

static const struct object_kind *target_of(const struct cli_args *args)
{
	return str_after(args->command->path, "storage volume attach-profile") ||
			       str_after(args->command->path, "storage volume detach-profile")
		       ? &object_profile
		       : &object_instance;
}

/* POOL VOLUME INSTANCE [[DEVICE] PATH] */
static int run_attach(struct cli *cli, const struct cli_args *args)
{
	struct attachment a = { .pool = args->words[0] };
	_cleanup_(freep) char *path = NULL;
	struct err err = { 0 };

	if (volume_name(args->words[1], &a.volume, &err) < 0)
		return cli_usage(args, &err);
	a.device = args->n_words > 4 ? args->words[3] : a.volume;
	path = args->n_words > 3 ? xstrdup(args->words[args->n_words - 1])
				 : xasprintf("/mnt/%s", a.volume);
	a.path = path;
	return object_change(cli, target_of(args), args->words[2], "attach", attach, &a);
}

static int run_detach(struct cli *cli, const struct cli_args *args)
{
	struct attachment a = { .pool = args->words[0], .device = args_word(args, 3) };
	struct err err = { 0 };

	if (volume_name(args->words[1], &a.volume, &err) < 0)
		return cli_usage(args, &err);
	return object_change(cli, target_of(args), args->words[2], "detach", detach, &a);
}

const struct cli_command cmd_storage_volume_list = {
	.path = "storage volume list",
	.aliases = "storage volume ls",
	.usage = "POOL",
	.summary = "List the custom volumes of a storage pool",
	.text = "Columns: t type, n name, d description, u used by, C created at.",
	.example = "sysctr storage volume list default",
	.options = { object_list_options, list_more },
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_POOL },
	.run = run_list,
};

const struct cli_command cmd_storage_volume_show = {
	.path = "storage volume show",
	.usage = "POOL VOLUME",
	.summary = "Show a custom volume as YAML",
	.example = "sysctr storage volume show default data",
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_POOL, HINT_VOLUME },
	.run = run_show,
};

const struct cli_command cmd_storage_volume_info = {
	.path = "storage volume info",
	.usage = "POOL VOLUME",
	.summary = "Show how much a custom volume takes and who has it",
	.example = "sysctr storage volume info default data",
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_POOL, HINT_VOLUME },
	.run = run_info,
};

const struct cli_command cmd_storage_volume_create = {
	.path = "storage volume create",
	.usage = "POOL VOLUME [KEY=VALUE]...",
	.summary = "Create an empty custom volume",
	.text = "With size= it takes no more, where the pool has quotas (\"sysctr storage info\").",
	.example = "sysctr storage volume create default data size=10GiB\n"
		   "sysctr storage volume attach default data web1 /srv/data",
	.options = { create_options },
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_POOL, HINT_NONE },
	.run = run_create,
};

const struct cli_command cmd_storage_volume_get = {
	.path = "storage volume get",
	.usage = "POOL VOLUME KEY",
	.summary = "Show the value of a custom volume's key",
	.example = "sysctr storage volume get default data user.owner",
	.min_words = 3,
	.max_words = 3,
	.hints = { HINT_POOL, HINT_VOLUME, HINT_NONE },
	.run = run_get,
};

const struct cli_command cmd_storage_volume_set = {
	.path = "storage volume set",
	.usage = "POOL VOLUME KEY=VALUE...",
	.summary = "Set keys of a custom volume",
	.text = "A new size holds at once, also while the volume is used.",
	.example = "sysctr storage volume set default data size=20GiB user.owner=web",
	.min_words = 3,
	.max_words = CLI_MANY,
	.hints = { HINT_POOL, HINT_VOLUME, HINT_NONE },
	.run = run_set,
};

const struct cli_command cmd_storage_volume_unset = {
	.path = "storage volume unset",
	.usage = "POOL VOLUME KEY...",
	.summary = "Remove keys of a custom volume",
	.example = "sysctr storage volume unset default data user.owner",
	.min_words = 3,
	.max_words = CLI_MANY,
	.hints = { HINT_POOL, HINT_VOLUME, HINT_NONE },
	.run = run_unset,
};

const struct cli_command cmd_storage_volume_edit = {
	.path = "storage volume edit",
	.usage = "POOL VOLUME",
	.summary = "Edit a custom volume as YAML, or read it from standard input",
	.example = "sysctr storage volume edit default data",
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_POOL, HINT_VOLUME },
	.run = run_edit,
};

const struct cli_command cmd_storage_volume_rename = {
	.path = "storage volume rename",
	.usage = "POOL VOLUME NEW-NAME",
	.summary = "Rename a custom volume that nothing uses",
	.example = "sysctr storage volume rename default data old-data",
	.min_words = 3,
	.max_words = 3,
	.hints = { HINT_POOL, HINT_VOLUME, HINT_NONE },
	.run = run_rename,
};

const struct cli_command cmd_storage_volume_copy = {
	.path = "storage volume copy",
	.aliases = "storage volume cp",
	.usage = "POOL/VOLUME[/SNAPSHOT] POOL/NEW-VOLUME",
	.summary = "Copy a custom volume with its snapshots, or a snapshot of one",
	.text = "Of a volume that instances write to meanwhile, files are copied as they are read;\n"
		"on btrfs the copy is of one moment and takes no time.",
	.example = "sysctr storage volume copy default/data fast/data",
	.options = { copy_options },
	.min_words = 2,
	.max_words = 2,
	.run = run_copy,
};

const struct cli_command cmd_storage_volume_move = {
	.path = "storage volume move",
	.aliases = "storage volume mv",
	.usage = "POOL/VOLUME POOL/NEW-VOLUME",
	.summary = "Move a custom volume that nothing uses to another pool, or rename it",
	.text = "Its snapshots, keys, schedule and backups come along. It is copied, then removed where\n"
		"it was; meanwhile it cannot be used. If that fails it is where it was.",
	.example = "sysctr storage volume move default/data fast/data",
	.options = { move_options },
	.min_words = 2,
	.max_words = 2,
	.run = run_move,
};

const struct cli_command cmd_storage_volume_delete = {
	.path = "storage volume delete",
	.aliases = "storage volume rm",
	.usage = "POOL VOLUME...",
	.summary = "Delete custom volumes that nothing uses, with their snapshots",
	.text = "With --forget one whose pool is lost is only taken out of the database.",
	.example = "sysctr storage volume delete default data",
	.options = { delete_options },
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_POOL, HINT_VOLUME },
	.run = run_delete,
};

const struct cli_command cmd_storage_volume_attach = {
	.path = "storage volume attach",
	.usage = "POOL VOLUME INSTANCE [[DEVICE] PATH]",
	.summary = "Give an instance a custom volume as a disk",
	.text = "Several instances may have it, running or not: each one sees the files with its own\n"
		"ids. DEVICE is the volume's name and PATH is /mnt/VOLUME if they are left out.",
	.example = "sysctr storage volume attach default data web1 /srv/data",
	.min_words = 3,
	.max_words = 5,
	.hints = { HINT_POOL, HINT_VOLUME, HINT_INSTANCE },
	.run = run_attach,
};

const struct cli_command cmd_storage_volume_detach = {
	.path = "storage volume detach",
	.usage = "POOL VOLUME INSTANCE [DEVICE]",
	.summary = "Take a custom volume from an instance",
	.example = "sysctr storage volume detach default data web1",
	.min_words = 3,
	.max_words = 4,
	.hints = { HINT_POOL, HINT_VOLUME, HINT_INSTANCE },
	.run = run_detach,
};

const struct cli_command cmd_storage_volume_attach_profile = {
	.path = "storage volume attach-profile",
	.usage = "POOL VOLUME PROFILE [[DEVICE] PATH]",
	.summary = "Give all instances of a profile a custom volume as a disk",
	.example = "sysctr storage volume attach-profile default data web /srv/data",
	.min_words = 3,
	.max_words = 5,
	.hints = { HINT_POOL, HINT_VOLUME, HINT_PROFILE },
	.run = run_attach,
};

const struct cli_command cmd_storage_volume_detach_profile = {
	.path = "storage volume detach-profile",
	.usage = "POOL VOLUME PROFILE [DEVICE]",
	.summary = "Take a custom volume from a profile",
	.example = "sysctr storage volume detach-profile default data web",
	.min_words = 3,
	.max_words = 4,
	.hints = { HINT_POOL, HINT_VOLUME, HINT_PROFILE },
	.run = run_detach,
};

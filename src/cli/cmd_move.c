/* cli/cmd_move.c - rename, move and copy of instances */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "codec/json.h"

static const struct cli_option move_options[] = {
	{ 's', "storage", "POOL", "pool for the root file system", HINT_POOL },
	{ 0 },
};

static int run(struct cli *cli, const struct cli_args *args)
{
	const char *name = args_word(args, 0), *new_name = args_word(args, 1);
	_cleanup_(freep) char *path = object_path(&object_instance, name, "");
	_cleanup_(json_decrefp) json_t *body =
		json_pack("{sssb}", "name", new_name ? new_name : name, "migration", 0);
	const char *pool = args_get(args, "storage");
	struct err err = { 0 };

	if (!new_name && !pool) {
		(void)err_kind(&err, ERR_INVALID, "a new name or --storage is expected");
		return cli_usage(args, &err);
	}
	if (pool) {
		(void)json_object_set_new(body, "migration", json_true());
		(void)json_object_set_new(body, "pool", json_string(pool));
	}
	if (cli_operate(cli, "POST", path, body, NULL, &err) < 0)
		return object_fail(cli, &object_instance, name, args->command->path, &err);
	cli_say(cli, "%s is %s%s%s%s%s now.", name, new_name ? "called " : "",
		new_name ? new_name : "", new_name && pool ? " and " : "", pool ? "in " : "",
		pool ? pool : "");
	return CLI_OK;
}

const struct cli_command cmd_rename = {
	.path = "rename",
	.usage = "NAME NEW-NAME",
	.summary = "Give a stopped instance another name",
	.text = "Its files, settings and addresses stay as they are.",
	.example = "sysctr rename web1 web2",
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_STOPPED, HINT_NONE },
	.run = run,
};

const struct cli_command cmd_move = {
	.path = "move",
	.aliases = "mv",
	.usage = "NAME [NEW-NAME]",
	.summary = "Give a stopped instance another name, or put it into another storage pool",
	.text = "With --storage its root and its snapshots are copied there and removed here, perhaps\n"
		"under the new name (one that has to run on can be copied there). Where not both pools\n"
		"have layers, or the image is not here any more, the root is whole from then on.",
	.example = "sysctr move web1 web2\nsysctr move web1 --storage fast\n"
		   "sysctr move web1 web2 --storage fast",
	.options = { move_options },
	.min_words = 1,
	.max_words = 2,
	.hints = { HINT_STOPPED, HINT_NONE },
	.run = run,
};

/* ---- copy ---- */

static const struct cli_option copy_options[] = {
	{ 'c', "config", "KEY=VALUE", "set a configuration key of the copy", HINT_KEY },
	{ 'd', "device", "NAME,KEY=VALUE...", "override or add a device of the copy", HINT_NONE },
	{ 'p', "profile", "NAME", "profile to apply (instead of the source's)", HINT_PROFILE },
	{ 0, "no-profiles", NULL, "apply no profile at all", HINT_NONE },
	{ 'e', "ephemeral", NULL, "delete the copy when it stops", HINT_NONE },
	{ 's', "storage", "POOL", "pool for the root file system of the copy", HINT_POOL },
	{ 0, "instance-only", NULL, "leave the snapshots out", HINT_NONE },
	{ 0, "refresh", NULL, "bring a stopped copy up to date: only what changed", HINT_NONE },
	{ 0, "refresh-exclude-older", NULL, "with --refresh: no snapshots older than what it has",
	  HINT_NONE },
	{ 0, "start", NULL, "start the copy", HINT_NONE },
	{ 0 },
};

/* "eth0,ipv4.address=10.0.0.9": over what the source has there. */
static int add_device(const char *text, const json_t *inherited, json_t *devices, struct err *err)
{
	_cleanup_(strv_freep) char **parts = strv_split(text, ",");
	json_t *device;

	if (strv_len(parts) < 2)
		return err_kind(err, ERR_INVALID, "device \"%s\" is not NAME,KEY=VALUE", text);
	device = json_object_get(devices, parts[0]);
	if (!device) {
		device = json_deep_copy(json_object_get(inherited, parts[0]));
		if (!device)
			device = json_object();
		(void)json_object_set_new(devices, parts[0], device);
	}
	return pairs_apply(parts + 1, device, err);
}

/* The root disk of @instance; NULL: it has none. Borrowed. */
static const json_t *find_root(const json_t *instance, const char **ret_name)
{
	json_t *devices = json_object_get(instance, "expanded_devices"), *device;
	const char *name;

	json_object_foreach(devices, name, device)
	{
		if (streq(json_str(device, "type", ""), "disk") &&
		    streq(json_str(device, "path", ""), "/")) {
			*ret_name = name;
			return device;
		}
	}
	return NULL;
}

/* The root disk as the source has it, in @pool. */
static int add_root(const json_t *source, const char *pool, json_t *devices, struct err *err)
{
	const char *name;
	const json_t *device = find_root(source, &name);
	json_t *own;

	if (!device)
		return err_kind(err, ERR_INVALID, "it has no root disk");
	own = json_object_get(devices, name);
	if (!own) {
		own = json_deep_copy(device);
		(void)json_object_set_new(devices, name, own);
	}
	return json_object_set_new(own, "pool", json_string(pool));
}

/* One that is brought up to date stays in its pool. */
static int check_stays(struct cli *cli, const char *copy, const char *pool, struct err *err)
{
	_cleanup_(freep) char *path = object_path(&object_instance, copy, "");
	_cleanup_(json_decrefp) json_t *instance = NULL;
	struct err gone = { 0 };
	const char *name, *has;

	if (client_get(cli->client, path, &instance, &gone) < 0)
		return 0; /* it is made anew, there */
	has = json_str(find_root(instance, &name), "pool", "");
	return streq(has, pool)
		       ? 0
		       : err_kind(err, ERR_CONFLICT,
				  "%s is in pool \"%s\" and stays there when it is brought "
				  "up to date: leave --storage out, or move it",
				  copy, has);
}

static json_t *profiles_of(const struct cli_args *args)
{
	_cleanup_(freep) char **names = args_all(args, "profile");
	json_t *list;

	if (!names && !args_has(args, "no-profiles"))
		return json_null(); /* the source's */
	list = json_array();
	for (char **n = names; n && *n; n++)
		(void)json_array_append_new(list, json_string(*n));
	return list;
}

static int get_source(struct cli *cli, const char *from, json_t **ret_source, struct err *err)
{
	const char *slash = strchr(from, '/');
	_cleanup_(freep) char *name = xstrndup(from, strcspn(from, "/"));
	_cleanup_(freep) char *path =
		slash ? client_path("/1.0/instances/%s/snapshots/%s", name, slash + 1)
		      : client_path("/1.0/instances/%s", name);

	return client_get(cli->client, path, ret_source, err);
}

static int build_copy(struct cli *cli, const struct cli_args *args, json_t *request,
		      struct err *err)
{
	_cleanup_(freep) char **pairs = args_all(args, "config");
	_cleanup_(freep) char **given = args_all(args, "device");
	_cleanup_(json_decrefp) json_t *source = NULL;
	json_t *config = json_object(), *devices = json_object();
	const char *pool = args_get(args, "storage");
	int r;

	(void)json_object_set_new(request, "config", config);
	(void)json_object_set_new(request, "devices", devices);
	(void)json_object_set_new(request, "profiles", profiles_of(args));
	r = pairs_apply(pairs, config, err);
	if (r == 0 && pool && args_has(args, "refresh"))
		r = check_stays(cli, args_word(args, 1), pool, err);
	if (r == 0 && (given || pool))
		r = get_source(cli, args_word(args, 0), &source, err);
	for (char **d = given; r == 0 && d && *d; d++)
		r = add_device(*d, json_object_get(source, "expanded_devices"), devices, err);
	return r < 0 || !pool ? r : add_root(source, pool, devices, err);
}

static void say_copied(struct cli *cli, const char *from, const char *to, const json_t *operation)
{
	const char *paused = json_string_value(json_at(operation, "metadata.source_paused_ms"));

	if (paused)
		cli_say(cli, "%s was paused for %s ms while it was copied.", from, paused);
	cli_say(cli, "%s is a copy of %s.", to, from);
}

static int run_copy(struct cli *cli, const struct cli_args *args)
{
	const char *from = args_word(args, 0), *to = args_word(args, 1);
	_cleanup_(json_decrefp) json_t *operation = NULL;
	_cleanup_(json_decrefp) json_t *request =
		json_pack("{sss{sssssbsbsb}sbsb}", "name", to, "source", "type", "copy", "source",
			  from, "refresh", args_has(args, "refresh"), "refresh_exclude_older",
			  args_has(args, "refresh-exclude-older"), "instance_only",
			  args_has(args, "instance-only"), "ephemeral", args_has(args, "ephemeral"),
			  "start", args_has(args, "start"));
	struct err err = { 0 };
	int r;

	if (args_has(args, "refresh-exclude-older") && !args_has(args, "refresh"))
		r = err_kind(&err, ERR_INVALID, "--refresh-exclude-older goes with --refresh");
	else
		r = build_copy(cli, args, request, &err);
	if (r < 0) {
		if (err.kind == ERR_INVALID)
			return cli_usage(args, &err);
		return object_fail(cli, &object_instance, from, "copy", &err);
	}
	if (cli_operate(cli, "POST", "/1.0/instances", request, &operation, &err) < 0)
		return object_fail(cli, &object_instance, from, "copy", &err);
	say_copied(cli, from, to, operation);
	return CLI_OK;
}

const struct cli_command cmd_copy = {
	.path = "copy",
	.aliases = "cp",
	.usage = "NAME[/SNAPSHOT] NEW-NAME",
	.summary = "Make a copy of an instance, or of a snapshot",
	.text = "The copy has addresses and a machine-id of its own; all else is the source's, its\n"
		"snapshots included. A source that runs is copied first, and paused only for what\n"
		"changed meanwhile, also when the copy is in another storage pool.\n"
		"\n"
		"With --refresh, a copy that is there and stopped gets the content of the source. It\n"
		"stays in its pool. Its snapshots become those of the source: those that it lacks come,\n"
		"those that the source does not have are deleted, also the ones that were made in the\n"
		"copy; --instance-only leaves them as they are.",
	.example = "sysctr copy web1 web2 --start\n"
		   "sysctr copy web1 web2 --storage fast\n"
		   "sysctr copy web1/snap0 web2\n"
		   "sysctr copy web1 backup1 --refresh",
	.options = { copy_options },
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_INSTANCE, HINT_INSTANCE },
	.run = run_copy,
};

/* cli/cmd_launch.c - launch and create: a new instance from an image, a template or nothing */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/privileged.h"
#include "cli/remotes.h"
#include "cli/wait.h"
#include "codec/json.h"

static const struct cli_option create_options[] = {
	{ 'c', "config", "KEY=VALUE", "set a configuration key", HINT_KEY },
	{ 'd', "device", "NAME,KEY=VALUE...", "add a device or override one of a profile's",
	  HINT_NONE },
	{ 'p', "profile", "NAME", "profile to apply (instead of \"default\")", HINT_PROFILE },
	{ 0, "no-profiles", NULL, "apply no profile at all", HINT_NONE },
	{ 'n', "network", "NAME", "network for eth0", HINT_NETWORK },
	{ 's', "storage", "POOL", "pool for the root file system", HINT_POOL },
	{ 'e', "ephemeral", NULL, "delete the instance when it stops", HINT_NONE },
	{ 0, "empty", NULL, "no image: start with an empty root", HINT_NONE },
	{ 0, "description", "TEXT", "what it is for", HINT_NONE },
	{ 0 },
};

static const struct cli_option launch_options[] = {
	{ 0, "wait", "ipv4|ipv6|ready", "return when it has an address or has booted", HINT_WAIT },
	{ 0, "timeout", "SECONDS", "wait no longer than this (default 120)", HINT_NONE },
	{ 0, "console", NULL, "attach to its console at once", HINT_NONE },
	{ 0 },
};

/* An object member of @parent, made when missing. */
static json_t *member_object(json_t *parent, const char *key)
{
	json_t *member = json_object_get(parent, key);

	if (!json_is_object(member)) {
		member = json_object();
		(void)json_object_set_new(parent, key, member);
	}
	return member;
}

/* "eth0,nictype=bridged,parent=br0" into @devices. */
static int add_device(const char *text, json_t *devices, struct err *err)
{
	_cleanup_(strv_freep) char **parts = strv_split(text, ",");

	if (strv_len(parts) < 2)
		return err_kind(err, ERR_INVALID, "device \"%s\" is not NAME,KEY=VALUE", text);
	return pairs_apply(parts + 1, member_object(devices, parts[0]), err);
}

static int add_devices(const struct cli_args *args, json_t *request, struct err *err)
{
	_cleanup_(freep) char **all = args_all(args, "device");
	const char *network = args_get(args, "network"), *pool = args_get(args, "storage");
	json_t *devices = member_object(request, "devices"), *device;

	if (network) {
		device = member_object(devices, "eth0");
		(void)json_object_set_new(device, "type", json_string("nic"));
		(void)json_object_set_new(device, "name", json_string("eth0"));
		(void)json_object_set_new(device, "network", json_string(network));
	}
	if (pool) {
		device = member_object(devices, "root");
		(void)json_object_set_new(device, "type", json_string("disk"));
		(void)json_object_set_new(device, "path", json_string("/"));
		(void)json_object_set_new(device, "pool", json_string(pool));
	}
	for (char **d = all; d && *d; d++) {
		int r = add_device(*d, devices, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static void add_profiles(const struct cli_args *args, json_t *request)
{
	_cleanup_(freep) char **names = args_all(args, "profile");
	json_t *list;

	if (!names && !args_has(args, "no-profiles"))
		return;
	list = json_array();
	for (char **n = names; n && *n; n++)
		(void)json_array_append_new(list, json_string(*n));
	(void)json_object_set_new(request, "profiles", list);
}

static int source_of(const struct cli_args *args, const char **ret_name, json_t **ret_source,
		     struct err *err)
{
	struct remote_word word = { 0 };
	bool empty = args_has(args, "empty");
	int r = 0;

	*ret_name = args_word(args, empty ? 0 : 1);
	if (empty)
		*ret_source = json_pack("{ss}", "type", "none");
	else
		r = remote_split(args_word(args, 0), &word, err);
	if (r == 0 && !empty)
		*ret_source = remote_source(&word);
	remote_word_done(&word);
	return r;
}

/* The body of POST /1.0/instances. Returns: 0 with an owned *@ret_request. */
static int build_request(const struct cli_args *args, bool start, json_t **ret_request,
			 struct err *err)
{
	_cleanup_(freep) char **config = args_all(args, "config");
	_cleanup_(json_decrefp) json_t *request = json_object();
	struct buf text = { 0 };
	const char *name = NULL;
	json_t *source = NULL;
	int r = 0;

	if (stdin_is_given())
		r = read_stdin(&text, err);
	if (r == 0 && text.len > 0) {
		json_decref(TAKE_PTR(request));
		r = document_parse(buf_str(&text), text.len, &request, err);
	}
	buf_done(&text);
	if (r == 0)
		r = source_of(args, &name, &source, err);
	if (r < 0)
		return r;
	(void)json_object_set_new(request, "source", source);
	(void)json_object_set_new(request, "name", json_string(name ? name : ""));
	(void)json_object_set_new(request, "type", json_string("container"));
	(void)json_object_set_new(request, "start", json_boolean(start));
	if (args_has(args, "ephemeral"))
		(void)json_object_set_new(request, "ephemeral", json_true());
	if (args_get(args, "description"))
		(void)json_object_set_new(request, "description",
					  json_string(args_get(args, "description")));
	add_profiles(args, request);
	r = pairs_apply(config, member_object(request, "config"), err);
	if (r == 0)
		r = add_devices(args, request, err);
	if (r == 0)
		*ret_request = TAKE_PTR(request);
	return r;
}

/* The name that the daemon chose or was told. */
static char *created_name(const json_t *operation, const char *asked)
{
	const json_t *urls = json_at(operation, "resources.instances");
	const char *url = json_string_value(json_array_get(urls, 0));
	const char *slash = url ? strrchr(url, '/') : NULL;

	return xstrdup(slash ? slash + 1 : asked);
}

static int fail(struct cli *cli, const struct cli_args *args, const char *step,
		const struct err *err)
{
	const char *name = args_word(args, args_has(args, "empty") ? 0 : 1);
	const char *object = name ? name : args_word(args, 0);
	_cleanup_(freep) char *hint = NULL;

	if (err->kind == ERR_NOT_FOUND && strstr(err->msg, "mage"))
		hint = xstrdup("see \"sysctr image list\"; templates are debian, alpine, "
			       "debian/trixie, ...");
	else if (err->kind == ERR_INTERNAL && name && streq(step, "launch"))
		hint = xasprintf("if it exists now, \"sysctr info %s --show-log\" tells more",
				 name);
	return cli_fail_hint(cli, object, step, err, hint);
}

static int check_words(const struct cli_args *args, struct err *err)
{
	size_t most = args_has(args, "empty") ? 1 : 2;

	if (!args_has(args, "empty") && args->n_words == 0)
		return err_kind(err, ERR_INVALID, "an image or a template is expected");
	if (args->n_words > most)
		return err_kind(err, ERR_INVALID, "\"%s\" is one word too many", args->words[most]);
	return 0;
}

static int create(struct cli *cli, const struct cli_args *args, bool start, char **ret_name)
{
	const char *step = start ? "launch" : "create";
	_cleanup_(json_decrefp) json_t *request = NULL;
	_cleanup_(json_decrefp) json_t *operation = NULL;
	struct err err = { 0 };

	if (check_words(args, &err) < 0 || build_request(args, start, &request, &err) < 0) {
		if (err.kind == ERR_INVALID)
			return cli_usage(args, &err);
		return fail(cli, args, step, &err);
	}
	if (cli_operate(cli, "POST", "/1.0/instances", request, &operation, &err) < 0)
		return fail(cli, args, step, &err);
	*ret_name = created_name(operation, json_str(request, "name", ""));
	if (str_empty(json_str(request, "name", "")))
		(void)printf("%s\n", *ret_name); /* chosen by the daemon: the result */
	privileged_warn_user(cli, *ret_name);
	return CLI_OK;
}

static int run_create(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char *name = NULL;
	int status = create(cli, args, false, &name);

	if (status == CLI_OK)
		cli_say(cli, "%s is created; \"sysctr start %s\" starts it.", name, name);
	return status;
}

static int run_launch(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char *name = NULL;
	bool waits = args_has(args, "wait");
	struct wait_goal goal;
	struct err err = { 0 };
	int status;

	if (waits && wait_parse_goal(args_get(args, "wait"), args, &goal, &err) < 0)
		return cli_usage(args, &err);
	status = create(cli, args, true, &name);
	if (status != CLI_OK)
		return status;
	if (waits && wait_instance(cli, name, &goal, &err) < 0)
		return cli_fail(cli, name, "wait", &err);
	cli_say(cli, "%s is running.", name);
	if (args_has(args, "console"))
		return console_attach(cli, name, false, NULL);
	return CLI_OK;
}

const struct cli_command cmd_launch = {
	.path = "launch",
	.usage = "IMAGE [NAME]",
	.summary = "Create an instance and start it",
	.text = "IMAGE is an alias or fingerprint of the local store, an image of an image server\n"
		"as REMOTE:ALIAS (see \"sysctr remote list\"), or a template\n"
		"NAME[/RELEASE[/VARIANT]], which is built once and kept. More settings are read\n"
		"as YAML from standard input when that is no terminal. Without NAME one is chosen.",
	.example = "sysctr launch debian web1\n"
		   "sysctr launch alpine a1 -c limits.memory=256MiB -c limits.cpu=2 --wait ipv4",
	.options = { create_options, launch_options },
	.max_words = 2,
	.hints = { HINT_TEMPLATE, HINT_NONE },
	.run = run_launch,
};

const struct cli_command cmd_create = {
	.path = "create",
	.aliases = "init",
	.usage = "IMAGE [NAME]",
	.summary = "Create an instance without starting it",
	.text = "The words and options of \"sysctr launch\".",
	.example = "sysctr create debian/trixie db1 -p default -s default\n"
		   "sysctr create --empty rescue1",
	.options = { create_options },
	.max_words = 2,
	.hints = { HINT_TEMPLATE, HINT_NONE },
	.run = run_create,
};

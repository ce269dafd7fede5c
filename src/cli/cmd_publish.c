/* cli/cmd_publish.c - publish: an image from an instance */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/names.h"
#include "cli/object.h"
#include "codec/json.h"
#include "codec/url.h"

static const struct cli_option options[] = {
	{ 0, "alias", "NAME", "what the image is called; may be repeated", HINT_ALIAS },
	{ 0, "public", NULL, "mark it as public", HINT_NONE },
	{ 0, "reuse", NULL, "take an alias from the image that has it", HINT_NONE },
	{ 'f', "force", NULL, "stop a running instance for it and start it again", HINT_NONE },
	{ 0, "compression", "none|gzip|xz|zstd", "how to compress (default zstd)", HINT_NONE },
	{ 0 },
};

/* Without --reuse nobody loses an alias. */
static int check_alias(struct cli *cli, const char *alias, struct err *err)
{
	_cleanup_(freep) char *encoded = url_encode(alias);
	_cleanup_(freep) char *path = xasprintf("/1.0/images/aliases/%s", encoded);
	struct client_reply reply = { 0 };
	int r = client_request(cli->client, "GET", path, NULL, &reply, err);

	client_reply_done(&reply);
	if (r == 0)
		return err_kind(err, ERR_CONFLICT, "alias \"%s\" exists already; --reuse takes it",
				alias);
	if (err->kind != ERR_NOT_FOUND)
		return r;
	*err = (struct err){ 0 };
	return 0;
}

static int build_request(struct cli *cli, const struct cli_args *args, json_t *request,
			 struct err *err)
{
	_cleanup_(freep) char **names = args_all(args, "alias");
	json_t *aliases = json_object_get(request, "aliases");
	int r = pairs_apply(args->words + 1, json_object_get(request, "properties"), err);

	for (char **n = names; r == 0 && n && *n; n++) {
		if (!args_has(args, "reuse"))
			r = check_alias(cli, *n, err);
		(void)json_array_append_new(aliases,
					    json_pack("{ssss}", "name", *n, "description", ""));
	}
	return r;
}

static int change_state(struct cli *cli, const char *name, const char *action, struct err *err)
{
	_cleanup_(json_decrefp) json_t *body = json_pack("{sssi}", "action", action, "timeout", -1);
	_cleanup_(freep) char *operation = NULL;
	int r = state_request(cli, name, body, &operation, err);

	return r == 0 && operation ? cli_wait(cli, operation, NULL, err) : r;
}

/* Returns: 1 when it was stopped for this. */
static int stop_first(struct cli *cli, const char *name, struct err *err)
{
	_cleanup_(json_decrefp) json_t *instance = NULL;
	int r = object_get(cli, &object_instance, name, &instance, NULL, err);

	if (r < 0 || streq(json_str(instance, "status", ""), "Stopped"))
		return r;
	r = change_state(cli, name, "stop", err);
	return r < 0 ? r : 1;
}

static int publish(struct cli *cli, const struct cli_args *args, json_t **ret_operation,
		   struct err *err)
{
	const char *name = args_word(args, 0), *compression = args_get(args, "compression");
	_cleanup_(json_decrefp) json_t *request =
		json_pack("{s{ssss}sbs[]s{}ss}", "source", "type",
			  strchr(name, '/') ? "snapshot" : "instance", "name", name, "public",
			  args_has(args, "public"), "aliases", "properties",
			  "compression_algorithm", compression ? compression : "zstd");
	int stopped = 0, r = build_request(cli, args, request, err);

	if (r == 0 && args_has(args, "force") && !strchr(name, '/'))
		r = stopped = stop_first(cli, name, err);
	if (r < 0)
		return r;
	r = cli_operate(cli, "POST", "/1.0/images", request, ret_operation, err);
	if (stopped > 0) {
		struct err start_err = { 0 };
		int r2 = change_state(cli, name, "start", r < 0 ? &start_err : err);

		r = r < 0 ? r : r2;
	}
	return r;
}

static int run(struct cli *cli, const struct cli_args *args)
{
	const char *name = args_word(args, 0);
	_cleanup_(json_decrefp) json_t *operation = NULL;
	struct err err = { 0 };

	cli_catch_interrupts(cli);
	if (publish(cli, args, &operation, &err) < 0) {
		return object_fail(cli, &object_instance, name, "publish", &err);
	}
	cli_print(json_string_value(json_at(operation, "metadata.fingerprint")));
	cli_print("\n");
	return CLI_OK;
}

const struct cli_command cmd_publish = {
	.path = "publish",
	.usage = "NAME[/SNAPSHOT] [PROPERTY=VALUE]...",
	.summary = "Make an image of an instance, or of a snapshot",
	.text = "What makes it one particular machine is left out: machine-id, ssh host keys, DHCP\n"
		"leases, random seeds, the journal. Where the init of the distribution makes no new\n"
		"ssh host keys, do that at the first start of a new instance (ssh-keygen -A).\n"
		"An instance that runs is copied first, and paused only for what changed meanwhile.",
	.example = "sysctr publish web1 --alias web description=\"web server\"\n"
		   "sysctr publish web1 --force --alias web --reuse\n"
		   "sysctr publish web1/snap0 --alias web",
	.options = { options },
	.min_words = 1,
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE, HINT_NONE },
	.run = run,
};

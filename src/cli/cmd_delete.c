/* cli/cmd_delete.c - delete instances, stopping them first with --force */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/names.h"
#include "cli/object.h"
#include "cli/snapshot.h"
#include "codec/json.h"

static const struct cli_option options[] = {
	{ 'f', "force", NULL, "stop running ones first, by killing them", HINT_NONE },
	{ 0, "all", NULL, "all instances", HINT_NONE },
	OPTION_FORGET,
	{ 0 },
};

/* Stop it when it runs. Returns: 0, 1 when it is gone with that (ephemeral), -errno. */
static int stop_first(struct cli *cli, const char *name, struct err *err)
{
	_cleanup_(json_decrefp) json_t *instance = NULL;
	_cleanup_(json_decrefp) json_t *body = NULL;
	_cleanup_(freep) char *operation = NULL;
	int r = object_get(cli, &object_instance, name, &instance, NULL, err);

	if (r < 0 || streq(json_str(instance, "status", ""), "Stopped"))
		return r;
	body = json_pack("{sssisb}", "action", "stop", "timeout", -1, "force", 1);
	r = state_request(cli, name, body, &operation, err);
	if (r == 0 && operation)
		r = cli_wait(cli, operation, NULL, err);
	if (r < 0)
		return r;
	return json_bool(instance, "ephemeral", false) ? 1 : 0;
}

static int fail(struct cli *cli, const struct cli_args *args, const char *name,
		const struct err *err)
{
	_cleanup_(freep) char *hint = NULL;

	if (err->kind != ERR_NOT_FOUND && err->kind != ERR_UNAVAILABLE && !args_has(args, "force"))
		hint = xasprintf("a running instance needs \"sysctr delete --force %s\"", name);
	if (hint)
		return cli_fail_hint(cli, name, "delete", err, hint);
	return object_fail(cli, &object_instance, name, "delete", err);
}

static int start_delete(struct cli *cli, const struct cli_args *args, const char *name,
			char **ret_operation, struct err *err)
{
	const char *slash = strchr(name, '/');
	_cleanup_(freep) char *instance = slash ? xstrndup(name, (size_t)(slash - name)) : NULL;
	_cleanup_(freep) char *path =
		slash ? snapshot_path(instance, slash + 1, "")
		      : object_path(&object_instance, name, forget_suffix(args));
	struct client_reply reply = { 0 };
	int r = args_has(args, "force") && !slash ? stop_first(cli, name, err) : 0;

	if (r != 0)
		return MIN(r, 0);
	r = client_request(cli->client, "DELETE", path, NULL, &reply, err);
	if (r == 0)
		*ret_operation = TAKE_PTR(reply.operation);
	client_reply_done(&reply);
	return r;
}

static int run(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(strv_freep) char **names = NULL;
	struct err err = { 0 };
	char **operations;
	int status = CLI_OK;
	size_t n;

	if (args->n_words == 0 && !args_has(args, "all")) {
		(void)err_kind(&err, ERR_INVALID, "a name or --all is expected");
		return cli_usage(args, &err);
	}
	if (names_choose(cli, args, NULL, &names, &err) < 0)
		return cli_fail(cli, NULL, "delete", &err);
	cli_catch_interrupts(cli);
	n = strv_len(names);
	operations = xcalloc(n + 1, sizeof(char *));
	for (size_t i = 0; i < n; i++) {
		err = (struct err){ 0 };
		if (start_delete(cli, args, names[i], &operations[i], &err) < 0)
			status = fail(cli, args, names[i], &err);
	}
	for (size_t i = 0; i < n; i++) {
		err = (struct err){ 0 };
		if (operations[i] && cli_wait(cli, operations[i], NULL, &err) < 0)
			status = fail(cli, args, names[i], &err);
		else if (operations[i] && !strchr(names[i], '/'))
			say_forgotten(cli, args, names[i]);
		free(operations[i]);
	}
	free(operations);
	return status;
}

const struct cli_command cmd_delete = {
	.path = "delete",
	.aliases = "rm",
	.usage = "NAME[/SNAPSHOT]...",
	.summary = "Delete instances with everything in them, or snapshots",
	.text = "An instance whose storage pool is lost (its device is gone, its mount failed) cannot be\n"
		"removed from there: --forget takes it out of the database and leaves what is there.\n"
		"If the pool comes back, \"sysctr admin recover\" finds it.",
	.example = "sysctr delete web1\nsysctr delete --force web1 db1",
	.options = { options },
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE },
	.run = run,
};

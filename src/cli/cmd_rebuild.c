/* cli/cmd_rebuild.c - rebuild: a new root for an instance */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/names.h"
#include "cli/object.h"
#include "codec/json.h"

static const struct cli_option options[] = {
	{ 'f', "force", NULL, "kill a running instance for it and start it again", HINT_NONE },
	{ 0, "empty", NULL, "no image: an empty root", HINT_NONE },
	{ 0 },
};

static int change_state(struct cli *cli, const char *name, const char *action, struct err *err)
{
	_cleanup_(json_decrefp) json_t *body =
		json_pack("{sssisb}", "action", action, "timeout", -1, "force", 1);
	_cleanup_(freep) char *operation = NULL;
	int r = state_request(cli, name, body, &operation, err);

	return r == 0 && operation ? cli_wait(cli, operation, NULL, err) : r;
}

/* The image that was asked for, else the one it was made from. Returns: new JSON, NULL for none. */
static json_t *source_of(const struct cli_args *args, const json_t *instance)
{
	const char *image = args_word(args, 1);
	const char *base =
		json_str(json_get_object(instance, "config"), "volatile.base_image", NULL);

	if (args_has(args, "empty"))
		return json_pack("{ss}", "type", "none");
	if (image)
		return json_pack("{ssss}", "type", "image", "alias", image);
	return base ? json_pack("{ssss}", "type", "image", "fingerprint", base) : NULL;
}

static int rebuild(struct cli *cli, const struct cli_args *args, const json_t *instance,
		   struct err *err)
{
	const char *name = args_word(args, 0);
	_cleanup_(freep) char *path = object_path(&object_instance, name, "/rebuild");
	json_t *source = source_of(args, instance);
	_cleanup_(json_decrefp) json_t *body = source ? json_pack("{so}", "source", source) : NULL;
	bool restart =
		args_has(args, "force") && !streq(json_str(instance, "status", ""), "Stopped");
	int r = 0;

	if (!body)
		return err_kind(err, ERR_INVALID, "it was made without an image: name one");
	if (restart)
		r = change_state(cli, name, "stop", err);
	if (r == 0)
		r = cli_operate(cli, "POST", path, body, NULL, err);
	/* also after a failure: it was running before */
	if (restart) {
		struct err start_err = { 0 };
		int r2 = change_state(cli, name, "start", r < 0 ? &start_err : err);

		r = r < 0 ? r : r2;
	}
	return r;
}

static int run(struct cli *cli, const struct cli_args *args)
{
	const char *name = args_word(args, 0);
	_cleanup_(json_decrefp) json_t *instance = NULL;
	struct err err = { 0 };

	cli_catch_interrupts(cli);
	if (object_get(cli, &object_instance, name, &instance, NULL, &err) < 0 ||
	    rebuild(cli, args, instance, &err) < 0)
		return object_fail(cli, &object_instance, name, "rebuild", &err);
	cli_say(cli, "%s has a new root.", name);
	return CLI_OK;
}

const struct cli_command cmd_rebuild = {
	.path = "rebuild",
	.usage = "NAME [IMAGE]",
	.summary = "Give a stopped instance a new root from an image",
	.text = "All its files are deleted. Settings, addresses and ids stay. Without IMAGE it is the\n"
		"one the instance was made from.",
	.example = "sysctr rebuild web1 debian/trixie --force",
	.options = { options },
	.min_words = 1,
	.max_words = 2,
	.hints = { HINT_INSTANCE, HINT_TEMPLATE },
	.run = run,
};

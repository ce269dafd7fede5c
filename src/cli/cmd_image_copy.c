/* cli/cmd_image_copy.c - image copy and refresh: images of image servers in the local store */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/image.h"
#include "cli/object.h"
#include "cli/remotes.h"
#include "codec/json.h"

static const struct cli_option copy_options[] = {
	{ 0, "alias", "NAME", "name for the image; may be given several times", HINT_NONE },
	{ 0, "copy-aliases", NULL, "give it the names that it has there", HINT_NONE },
	{ 0, "auto-update", NULL, "replace it when the server has a new version", HINT_NONE },
	{ 0, "public", NULL, "let everybody read it", HINT_NONE },
	{ 0 },
};

/* ---- copy ---- */

static void add_alias(json_t *aliases, const char *name)
{
	(void)json_array_append_new(aliases, json_pack("{ssss}", "name", name, "description", ""));
}

static int add_aliases(struct cli *cli, const struct cli_args *args, const struct remote_word *word,
		       json_t *aliases, struct err *err)
{
	_cleanup_(freep) char **names = args_all(args, "alias");
	_cleanup_(json_decrefp) json_t *image = NULL;
	json_t *alias;
	size_t i;
	int r;

	for (char **name = names; name && *name; name++)
		add_alias(aliases, *name);
	if (!args_has(args, "copy-aliases"))
		return 0;
	r = remote_find(cli, word, &image, err);
	json_array_foreach(json_get(image, "aliases"), i, alias)
		add_alias(aliases, json_str(alias, "name", ""));
	return r;
}

static int make_body(struct cli *cli, const struct cli_args *args, const struct remote_word *word,
		     json_t **ret_body, struct err *err)
{
	json_t *source = remote_source(word);
	_cleanup_(json_decrefp) json_t *body =
		json_pack("{sosbsbs[]}", "source", source, "auto_update",
			  args_has(args, "auto-update"), "public", args_has(args, "public"),
			  "aliases");
	int r;

	if (args_has(args, "auto-update") && !json_get(source, "alias"))
		return err_kind(
			err, ERR_INVALID,
			"--auto-update needs an alias: a fingerprint is one version for ever");
	r = add_aliases(cli, args, word, json_object_get(body, "aliases"), err);
	if (r == 0)
		*ret_body = TAKE_PTR(body);
	return r;
}

static int copy(struct cli *cli, const struct cli_args *args, const struct remote_word *word,
		struct err *err)
{
	_cleanup_(json_decrefp) json_t *body = NULL;
	_cleanup_(json_decrefp) json_t *operation = NULL;
	const char *target = args_word(args, 1);
	int r;

	if (target && !streq(target, REMOTE_LOCAL ":"))
		return err_kind(err, ERR_INVALID, "images can be copied to \"local:\" only");
	if (!word->server)
		return err_kind(err, ERR_INVALID, "it is in the local store: name it REMOTE:IMAGE");
	if (!*word->image)
		return err_kind(err, ERR_INVALID, "no image is named behind the colon");
	r = make_body(cli, args, word, &body, err);
	if (r == 0)
		r = cli_operate(cli, "POST", "/1.0/images", body, &operation, err);
	if (r == 0)
		cli_say(cli, "Image %.12s is here.",
			json_str(json_get(operation, "metadata"), "fingerprint", ""));
	return r;
}

static int run_copy(struct cli *cli, const struct cli_args *args)
{
	struct remote_word word = { 0 };
	struct err err = { 0 };
	int r = remote_split(args->words[0], &word, &err);

	if (r == 0)
		r = copy(cli, args, &word, &err);
	remote_word_done(&word);
	return r < 0 ? cli_fail(cli, args->words[0], "copy", &err) : CLI_OK;
}

/* ---- refresh ---- */

static int refresh(struct cli *cli, const char *word)
{
	_cleanup_(json_decrefp) json_t *operation = NULL;
	_cleanup_(freep) char *fingerprint = NULL;
	_cleanup_(freep) char *path = NULL;
	struct err err = { 0 };
	const json_t *metadata;
	int r = image_resolve(cli, word, &fingerprint, &err);

	if (r == 0) {
		path = object_path(&object_image, fingerprint, "/refresh");
		r = cli_operate(cli, "POST", path, NULL, &operation, &err);
	}
	if (r < 0)
		return image_fail(cli, word, "refresh", &err);
	metadata = json_get(operation, "metadata");
	if (json_bool(metadata, "refreshed", false))
		cli_say(cli, "%s: there was a new version, %.12s.", word,
			json_str(metadata, "fingerprint", ""));
	else
		cli_say(cli, "%s is up to date.", word);
	return CLI_OK;
}

/* All that came from an image server by an alias. */
static int refresh_all(struct cli *cli)
{
	_cleanup_(json_decrefp) json_t *images = NULL;
	struct err err = { 0 };
	int status = CLI_OK;
	json_t *image;
	size_t i;

	if (client_get(cli->client, "/1.0/images?recursion=1", &images, &err) < 0)
		return cli_fail(cli, NULL, "image refresh", &err);
	json_array_foreach(images, i, image)
	{
		const json_t *source = json_get_object(image, "update_source");

		if (streq(json_str(source, "protocol", ""), "simplestreams") &&
		    !str_empty(json_str(source, "alias", "")) &&
		    refresh(cli, json_str(image, "fingerprint", "")) != CLI_OK)
			status = CLI_FAILED;
	}
	return status;
}

static int run_refresh(struct cli *cli, const struct cli_args *args)
{
	int status = CLI_OK;

	if (args->n_words == 0)
		return refresh_all(cli);
	for (size_t i = 0; i < args->n_words; i++)
		if (refresh(cli, args->words[i]) != CLI_OK)
			status = CLI_FAILED;
	return status;
}

const struct cli_command cmd_image_copy = {
	.path = "image copy",
	.aliases = "image cp",
	.usage = "REMOTE:IMAGE [local:]",
	.summary = "Bring an image of an image server into the local store",
	.example = "sysctr image copy images:alpine/3.20 local: --alias alp --auto-update",
	.options = { copy_options },
	.min_words = 1,
	.max_words = 2,
	.hints = { HINT_REMOTE, HINT_NONE },
	.run = run_copy,
};

const struct cli_command cmd_image_refresh = {
	.path = "image refresh",
	.usage = "[IMAGE]...",
	.summary = "Ask image servers for newer versions of images that came from them",
	.text = "Without words, of all that did. The daemon does so by itself for those that are\n"
		"cached or have auto_update; see images.auto_update_interval in sysctr-config(7).",
	.example = "sysctr image refresh alp",
	.max_words = CLI_MANY,
	.hints = { HINT_IMAGE },
	.run = run_refresh,
};

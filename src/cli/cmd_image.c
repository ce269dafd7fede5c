/* cli/cmd_image.c - image: the local store, without what moves image files */
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/image.h"
#include "cli/object.h"
#include "cli/remotes.h"
#include "cli/table.h"
#include "codec/json.h"

static void cell_aliases(const json_t *row, const char *key, struct buf *out)
{
	json_t *alias;
	size_t i;

	json_array_foreach(json_object_get(row, key), i, alias)
		buf_printf(out, "%s%s", i ? "\n" : "", json_str(alias, "name", ""));
}

static void cell_short(const json_t *row, const char *key, struct buf *out)
{
	buf_printf(out, "%.12s", json_str(row, key, ""));
}

static const struct column columns[] = {
	{ 'l', "ALIAS", cell_aliases, "aliases", 0, NULL },
	{ 'f', "FINGERPRINT", cell_short, "fingerprint", 0, NULL },
	{ 'F', "FULL FINGERPRINT", cell_text, "fingerprint", 0, NULL },
	{ 'p', "PUBLIC", cell_yes_no, "public", 0, NULL },
	{ 'd', "DESCRIPTION", cell_text, "properties.description", 0, NULL },
	{ 'a', "ARCHITECTURE", cell_text, "architecture", 0, NULL },
	{ 't', "TYPE", cell_upper, "type", 0, NULL },
	{ 's', "SIZE", cell_bytes, "size", COLUMN_RIGHT, NULL },
	{ 'u', "UPLOAD DATE", cell_time, "uploaded_at", 0, NULL },
	{ 0 },
};

static const struct column alias_columns[] = {
	{ 'n', "ALIAS", cell_text, "name", 0, NULL },
	{ 'f', "FINGERPRINT", cell_short, "target", 0, NULL },
	{ 't', "TYPE", cell_upper, "type", 0, NULL },
	{ 'd', "DESCRIPTION", cell_text, "description", 0, NULL },
	{ 0 },
};

char *image_alias_path(const char *alias)
{
	_cleanup_(freep) char *escaped = client_escape(alias);

	return xasprintf("/1.0/images/aliases/%s", escaped);
}

int image_resolve(struct cli *cli, const char *word, char **ret_fingerprint, struct err *err)
{
	_cleanup_(freep) char *path = image_alias_path(word);
	_cleanup_(json_decrefp) json_t *alias = NULL;
	int r = client_get(cli->client, path, &alias, err);

	if (r == 0)
		*ret_fingerprint = xstrdup(json_str(alias, "target", ""));
	else if (err->kind == ERR_NOT_FOUND) /* then it is a fingerprint or its beginning */
		*ret_fingerprint = xstrdup(word);
	else
		return r;
	*err = (struct err){ 0 };
	return 0;
}

/* "did you mean" among the aliases. */
int image_fail(struct cli *cli, const char *word, const char *step, const struct err *err)
{
	static const struct object_kind aliases = { "alias", "/1.0/images/aliases", NULL, NULL };

	return object_fail(cli, &aliases, word, step, err);
}

/* Of the local store. */
static int get_image(struct cli *cli, const char *word, json_t **ret_image, struct err *err)
{
	_cleanup_(freep) char *fingerprint = NULL;
	int r = image_resolve(cli, word, &fingerprint, err);

	return r < 0 ? r : object_get(cli, &object_image, fingerprint, ret_image, NULL, err);
}

/* Of the local store or of a server. */
static int find_image(struct cli *cli, const char *word, json_t **ret_image, struct err *err)
{
	struct remote_word where = { 0 };
	int r = remote_split(word, &where, err);

	if (r == 0 && where.server)
		r = remote_find(cli, &where, ret_image, err);
	else if (r == 0)
		r = get_image(cli, where.image, ret_image, err);
	remote_word_done(&where);
	return r;
}

static bool alias_begins(const json_t *image, const char *word)
{
	json_t *alias;
	size_t i;

	if (str_after(json_str(image, "fingerprint", ""), word))
		return true;
	json_array_foreach(json_object_get(image, "aliases"), i,
			   alias) if (str_after(json_str(alias, "name", ""), word)) return true;
	return false;
}

static bool matches(const json_t *image, const char *word)
{
	_cleanup_(freep) char *key = xstrndup(word, strcspn(word, "="));

	if (!strchr(word, '='))
		return alias_begins(image, word);
	return streq(json_str(json_object_get(image, "properties"), key, json_str(image, key, "")),
		     strchr(word, '=') + 1);
}

static void keep_matching(json_t *rows, const char *word)
{
	for (size_t i = json_array_size(rows); i > 0; i--)
		if (!matches(json_array_get(rows, i - 1), word))
			(void)json_array_remove(rows, i - 1);
}

/* The first word may say whose: "images:", "images:alpine". */
static int get_rows(struct cli *cli, const struct cli_args *args, json_t **ret_rows,
		    struct err *err)
{
	const char *first = args_word(args, 0);
	bool named = first && strchr(first, ':') && !strchr(first, '=');
	struct remote_word where = { 0 };
	int r = remote_split(named ? first : "", &where, err);

	if (r == 0 && where.server)
		r = remote_list(cli, where.server, ret_rows, err);
	else if (r == 0)
		r = client_get(cli->client, "/1.0/images?recursion=1", ret_rows, err);
	if (r == 0 && named && *where.image)
		keep_matching(*ret_rows, where.image);
	for (size_t i = named; r == 0 && i < args->n_words; i++)
		keep_matching(*ret_rows, args->words[i]);
	remote_word_done(&where);
	return r;
}

static int run_list(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(object_list_done) struct object_list list = { 0 };
	_cleanup_(json_decrefp) json_t *rows = NULL;
	struct err err = { 0 };

	if (object_list_begin(&list, args, columns, "lfpdatsu") != CLI_OK)
		return CLI_USAGE;
	if (get_rows(cli, args, &rows, &err) < 0)
		return cli_fail(cli, NULL, args->command->path, &err);
	return object_list_print(cli, args, &list, rows);
}

static int run_show(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(json_decrefp) json_t *image = NULL;
	_cleanup_(json_decrefp) json_t *part = NULL;
	struct err err = { 0 };

	if (find_image(cli, args->words[0], &image, &err) < 0)
		return image_fail(cli, args->words[0], "show", &err);
	part = object_writable(&object_image, image);
	return object_show(part);
}

static void info_text(const json_t *image, struct buf *out)
{
	char size[FMT_BYTES_LEN];
	const char *key;
	json_t *value;

	buf_printf(out, "Fingerprint: %s\nSize: %s\nArchitecture: %s\nType: %s\nPublic: %s\n",
		   json_str(image, "fingerprint", ""),
		   fmt_bytes(size, (uint64_t)json_i64(image, "size", 0)),
		   json_str(image, "architecture", ""), json_str(image, "type", "container"),
		   json_bool(image, "public", false) ? "yes" : "no");
	buf_add_str(out, "Created: ");
	cell_time(image, "created_at", out);
	buf_add_str(out, "\nUploaded: ");
	cell_time(image, "uploaded_at", out);
	buf_add_str(out, "\nLast used: ");
	cell_time(image, "last_used_at", out);
	buf_add_str(out, "\nProperties:\n");
	json_object_foreach(json_object_get(image, "properties"), key, value)
		buf_printf(out, "  %s: %s\n", key, json_string_value(value) ?: "");
	buf_add_str(out, "Aliases:\n");
	for (size_t i = 0; i < json_array_size(json_object_get(image, "aliases")); i++)
		buf_printf(out, "  %s\n",
			   json_str(json_array_get(json_object_get(image, "aliases"), i), "name",
				    ""));
}

static int run_info(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(json_decrefp) json_t *image = NULL;
	struct buf text = { 0 };
	struct err err = { 0 };

	if (find_image(cli, args->words[0], &image, &err) < 0)
		return image_fail(cli, args->words[0], "info", &err);
	info_text(image, &text);
	cli_print(buf_str(&text));
	buf_done(&text);
	return CLI_OK;
}

static int run_delete(struct cli *cli, const struct cli_args *args)
{
	int status = CLI_OK;

	for (size_t i = 0; i < args->n_words; i++) {
		_cleanup_(freep) char *fingerprint = NULL;
		_cleanup_(freep) char *path = NULL;
		struct err err = { 0 };
		int r = image_resolve(cli, args->words[i], &fingerprint, &err);

		if (r == 0) {
			path = object_path(&object_image, fingerprint, "");
			r = cli_operate(cli, "DELETE", path, NULL, NULL, &err);
		}
		if (r < 0)
			status = image_fail(cli, args->words[i], "delete", &err);
	}
	return status;
}

static int run_alias_list(struct cli *cli, const struct cli_args *args)
{
	return object_run_list(cli, args, "/1.0/images/aliases?recursion=1", alias_columns, "nftd");
}

static int run_alias_create(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char *fingerprint = NULL;
	_cleanup_(json_decrefp) json_t *image = NULL;
	struct err err = { 0 };
	int r = get_image(cli, args->words[1], &image, &err);

	if (r == 0)
		r = image_set_alias(cli, args->words[0], json_str(image, "fingerprint", ""), false,
				    &err);
	return r < 0 ? cli_fail(cli, args->words[0], "create alias", &err) : CLI_OK;
}

static int run_alias_delete(struct cli *cli, const struct cli_args *args)
{
	int status = CLI_OK;

	for (size_t i = 0; i < args->n_words; i++) {
		_cleanup_(freep) char *path = image_alias_path(args->words[i]);
		struct err err = { 0 };

		if (cli_operate(cli, "DELETE", path, NULL, NULL, &err) < 0)
			status = image_fail(cli, args->words[i], "delete alias", &err);
	}
	return status;
}

const struct cli_command cmd_image_list = {
	.path = "image list",
	.aliases = "image ls",
	.usage = "[REMOTE:] [ALIAS|FINGERPRINT|KEY=VALUE]...",
	.summary = "List the images of the local store or of an image server",
	.example =
		"sysctr image list\nsysctr image list os=debian\nsysctr image list images: alpine",
	.options = { object_list_options },
	.max_words = CLI_MANY,
	.hints = { HINT_IMAGE },
	.run = run_list,
};

const struct cli_command cmd_image_show = {
	.path = "image show",
	.usage = "[REMOTE:]IMAGE",
	.summary = "Show what can be edited of an image as YAML",
	.example = "sysctr image show debian",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_IMAGE },
	.run = run_show,
};

const struct cli_command cmd_image_info = {
	.path = "image info",
	.usage = "[REMOTE:]IMAGE",
	.summary = "Show size, age, properties and aliases of an image",
	.example = "sysctr image info debian",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_IMAGE },
	.run = run_info,
};

const struct cli_command cmd_image_delete = {
	.path = "image delete",
	.aliases = "image rm",
	.usage = "IMAGE...",
	.summary = "Delete images; instances made from them keep working",
	.example = "sysctr image delete debian/bookworm",
	.min_words = 1,
	.max_words = CLI_MANY,
	.hints = { HINT_IMAGE },
	.run = run_delete,
};

const struct cli_command cmd_image_alias_list = {
	.path = "image alias list",
	.aliases = "image alias ls",
	.usage = "",
	.summary = "List the names of images",
	.example = "sysctr image alias list",
	.options = { object_list_options },
	.run = run_alias_list,
};

const struct cli_command cmd_image_alias_create = {
	.path = "image alias create",
	.usage = "ALIAS IMAGE",
	.summary = "Give an image one more name",
	.example = "sysctr image alias create prod 5f2c8a",
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_NONE, HINT_IMAGE },
	.run = run_alias_create,
};

const struct cli_command cmd_image_alias_delete = {
	.path = "image alias delete",
	.aliases = "image alias rm",
	.usage = "ALIAS...",
	.summary = "Take names from images",
	.example = "sysctr image alias delete prod",
	.min_words = 1,
	.max_words = CLI_MANY,
	.hints = { HINT_ALIAS },
	.run = run_alias_delete,
};

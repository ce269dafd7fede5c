/* cli/object.c - see object.h */
#include "cli/object.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/editor.h"
#include "cli/table.h"
#include "codec/json.h"
#include "codec/yaml.h"

enum {
	SET_TRIES = 4,
	STDIN_MAX = 1024 * 1024
};

static const char *const writable_instance[] = { "architecture", "config",    "description",
						 "devices",	 "ephemeral", "profiles",
						 "stateful",	 NULL };
static const char *const writable_profile[] = { "config", "description", "devices", NULL };
static const char *const writable_config[] = { "config", "description", NULL };
static const char *const writable_image[] = { "auto_update", "expires_at", "profiles",
					      "properties",  "public",	   NULL };
static const char *const writable_server[] = { "config", NULL };

const struct object_kind object_instance = { "instance", "/1.0/instances", "config",
					     writable_instance };
const struct object_kind object_profile = { "profile", "/1.0/profiles", "config",
					    writable_profile };
const struct object_kind object_network = { "network", "/1.0/networks", "config", writable_config };
const struct object_kind object_pool = { "storage pool", "/1.0/storage-pools", "config",
					 writable_config };
const struct object_kind object_image = { "image", "/1.0/images", "properties", writable_image };
const struct object_kind object_server = { "server", "/1.0", "config", writable_server };

const struct cli_option object_edit_options[] = {
	{ 0, "dry-run", NULL, "check it and show what would change where, and change nothing",
	  HINT_NONE },
	{ 0 },
};

const struct cli_option object_list_options[] = {
	{ 'f', "format", "FORMAT", "table, compact, csv, json or yaml", HINT_FORMAT },
	{ 'c', "columns", "LIST", "letters (\"nst\") or names (\"name,state\")", HINT_NONE },
	{ 0 },
};

char *object_path(const struct object_kind *kind, const char *name, const char *suffix)
{
	_cleanup_(freep) char *escaped = NULL;

	if (kind == &object_server)
		return xstrdup(kind->collection);
	escaped = client_escape(name);
	return xasprintf("%s/%s%s", kind->collection, escaped, suffix);
}

int object_get(struct cli *cli, const struct object_kind *kind, const char *name,
	       json_t **ret_value, char **ret_etag, struct err *err)
{
	_cleanup_(freep) char *path = object_path(kind, name, "");
	struct client_reply reply = { 0 };
	int r = client_request(cli->client, "GET", path, NULL, &reply, err);

	if (r == 0) {
		*ret_value = json_incref(reply.metadata);
		if (ret_etag)
			*ret_etag = TAKE_PTR(reply.etag);
	}
	client_reply_done(&reply);
	return r;
}

json_t *object_writable(const struct object_kind *kind, const json_t *value)
{
	json_t *part = json_object();

	for (const char *const *key = kind->writable; *key; key++) {
		json_t *member = json_object_get(value, *key);

		if (member)
			(void)json_object_set(part, *key, member);
	}
	return part;
}

/* "web1: eth0 mtu: 1500 -> 1400 (after a restart)" per change. */
static void changes_show(const json_t *metadata)
{
	const json_t *changes = json_get(metadata, "changes");
	struct buf text = { 0 };
	json_t *change;
	size_t i;

	json_array_foreach((json_t *)changes, i, change)
	{
		const char *device = json_str(change, "device", NULL);
		const char *at = json_str(change, "at", "");

		buf_printf(&text, "%s: %s%s%s: %s -> %s (%s)\n", json_str(change, "instance", ""),
			   device ? device : "", device ? " " : "", json_str(change, "key", ""),
			   json_str(change, "from", "(unset)"), json_str(change, "to", "(unset)"),
			   streq(at, "now")	? "at once"
			   : streq(at, "start") ? "at its next start"
						: "after a restart");
	}
	if (json_array_size(changes) == 0)
		buf_add_str(&text, "No instance would change.\n");
	cli_print(buf_str(&text));
	buf_done(&text);
}

int object_put(struct cli *cli, const struct object_kind *kind, const char *name,
	       const json_t *value, const char *etag, struct err *err)
{
	_cleanup_(json_decrefp) json_t *part = object_writable(kind, value);
	_cleanup_(freep) char *path = object_path(kind, name, cli->dry_run ? "?dry-run=1" : "");
	struct client_reply reply = { 0 };
	int r;

	if (cli->dry_run && kind != &object_instance && kind != &object_profile)
		return err_kind(err, ERR_UNSUPPORTED,
				"--dry-run is for instances and profiles, not for a %s",
				kind->word);
	r = client_change(cli->client, "PUT", path, part, etag, &reply, err);

	if (r == 0 && reply.operation)
		r = cli_wait(cli, reply.operation, NULL, err);
	else if (r == 0 && cli->dry_run)
		changes_show(reply.metadata);
	client_reply_done(&reply);
	return r;
}

int object_names(struct cli *cli, const struct object_kind *kind, char ***ret_names,
		 struct err *err)
{
	_cleanup_(json_decrefp) json_t *urls = NULL;
	json_t *url;
	size_t i;
	int r = client_get(cli->client, kind->collection, &urls, err);

	if (r < 0)
		return r;
	*ret_names = NULL;
	json_array_foreach(urls, i, url)
	{
		const char *slash = strrchr(json_string_value(url) ?: "", '/');

		if (slash)
			strv_push(ret_names, slash + 1);
	}
	return 0;
}

int object_fail(struct cli *cli, const struct object_kind *kind, const char *name, const char *step,
		const struct err *err)
{
	_cleanup_(strv_freep) char **names = NULL;
	_cleanup_(freep) char *hint = NULL;
	const char *near = NULL;

	if (err->kind == ERR_NOT_FOUND && name && object_names(cli, kind, &names, NULL) == 0)
		near = str_nearest(name, (const char *const *)names);
	if (near && !streq(near, name))
		hint = xasprintf("did you mean \"%s\"?", near);
	return cli_fail_hint(cli, name ? name : kind->word, step, err, hint);
}

int object_show(const json_t *value)
{
	struct buf text = { 0 };

	yaml_emit(value, &text);
	cli_print(buf_str(&text));
	buf_done(&text);
	return CLI_OK;
}

int object_run_show(struct cli *cli, const struct object_kind *kind, const struct cli_args *args)
{
	const char *name = args_word(args, 0);
	_cleanup_(json_decrefp) json_t *value = NULL;
	struct err err = { 0 };

	if (object_get(cli, kind, name, &value, NULL, &err) < 0)
		return object_fail(cli, kind, name, "show", &err);
	return object_show(value);
}

int object_run_get(struct cli *cli, const struct object_kind *kind, const char *name,
		   const char *key)
{
	_cleanup_(json_decrefp) json_t *value = NULL;
	struct buf text = { 0 };
	struct err err = { 0 };

	if (object_get(cli, kind, name, &value, NULL, &err) < 0)
		return object_fail(cli, kind, name, "get", &err);
	buf_printf(&text, "%s\n", json_str(json_object_get(value, kind->config), key, ""));
	cli_print(buf_str(&text));
	buf_done(&text);
	return CLI_OK;
}

static json_t *config_of(const struct object_kind *kind, json_t *value)
{
	json_t *config = json_object_get(value, kind->config);

	if (!json_is_object(config)) {
		config = json_object();
		(void)json_object_set_new(value, kind->config, config);
	}
	return config;
}

int pairs_apply(char **pairs, json_t *config, struct err *err)
{
	if (strv_len(pairs) == 2 && !strchr(pairs[0], '=')) {
		(void)json_object_set_new(config, pairs[0], json_string(pairs[1]));
		return 0;
	}
	for (; pairs && *pairs; pairs++) {
		const char *equals = strchr(*pairs, '=');

		if (!equals || equals == *pairs)
			return err_kind(err, ERR_INVALID, "\"%s\" is not KEY=VALUE", *pairs);
		(void)json_object_setn_new(config, *pairs, (size_t)(equals - *pairs),
					   json_string(equals + 1));
	}
	return 0;
}

/* Each of @keys to "", which is how the API says unset. */
static int keys_clear(char **keys, json_t *config, struct err *err)
{
	for (; *keys; keys++) {
		if (!json_object_get(config, *keys))
			return err_kind(err, ERR_NOT_FOUND, "key \"%s\" is not set", *keys);
		(void)json_object_set_new(config, *keys, json_string(""));
	}
	return 0;
}

int object_change(struct cli *cli, const struct object_kind *kind, const char *name,
		  const char *step, int (*change)(void *data, json_t *value, struct err *err),
		  void *data)
{
	struct err err = { 0 };
	int r = -ESTALE;

	for (int i = 0; i < SET_TRIES && r == -ESTALE; i++) {
		_cleanup_(json_decrefp) json_t *value = NULL;
		_cleanup_(freep) char *etag = NULL;

		err = (struct err){ 0 };
		r = object_get(cli, kind, name, &value, &etag, &err);
		if (r < 0)
			return object_fail(cli, kind, name, step, &err);
		r = change(data, value, &err);
		if (r == 0)
			r = object_put(cli, kind, name, value, etag, &err);
	}
	return r < 0 ? cli_fail(cli, name ? name : kind->word, step, &err) : CLI_OK;
}

struct config_edit {
	const struct object_kind *kind;
	int (*change)(char **words, json_t *config, struct err *err);
	char **words;
};

static int edit_config(void *data, json_t *value, struct err *err)
{
	const struct config_edit *edit = data;

	return edit->change(edit->words, config_of(edit->kind, value), err);
}

int object_run_set(struct cli *cli, const struct object_kind *kind, const char *name, char **pairs)
{
	struct config_edit edit = { kind, pairs_apply, pairs };

	return object_change(cli, kind, name, "set", edit_config, &edit);
}

int object_run_unset(struct cli *cli, const struct object_kind *kind, const char *name, char **keys)
{
	struct config_edit edit = { kind, keys_clear, keys };

	return object_change(cli, kind, name, "unset", edit_config, &edit);
}

int object_run_delete(struct cli *cli, const struct object_kind *kind, const struct cli_args *args)
{
	int status = CLI_OK;

	for (size_t i = 0; i < args->n_words; i++) {
		_cleanup_(freep) char *path =
			object_path(kind, args->words[i], forget_suffix(args));
		struct err err = { 0 };

		if (cli_operate(cli, "DELETE", path, NULL, NULL, &err) < 0)
			status = object_fail(cli, kind, args->words[i], "delete", &err);
		else
			say_forgotten(cli, args, args->words[i]);
	}
	return status;
}

const char *forget_suffix(const struct cli_args *args)
{
	return args_has(args, "forget") ? "?forget=true" : "";
}

void say_forgotten(struct cli *cli, const struct cli_args *args, const char *name)
{
	if (args_has(args, "forget"))
		cli_say(cli,
			"%s is forgotten; what is on its storage pool stays there, for sysctr admin "
			"recover.",
			name);
}

int object_list_begin(struct object_list *list, const struct cli_args *args,
		      const struct column *columns, const char *initial)
{
	const char *wanted = args_get(args, "columns");
	struct err err = { 0 };

	if (table_parse_format(args_get(args, "format"), &list->format, &err) < 0 ||
	    table_choose(columns, wanted ? wanted : initial, &list->columns, &err) < 0)
		return cli_usage(args, &err);
	return CLI_OK;
}

int object_list_print(struct cli *cli, const struct cli_args *args, const struct object_list *list,
		      const json_t *rows)
{
	struct buf out = { 0 };
	struct err err = { 0 };
	int r = table_print(rows, &list->columns, list->format, &out, &err);

	if (r == 0)
		cli_print(buf_str(&out));
	buf_done(&out);
	return r < 0 ? cli_fail(cli, NULL, args->command->path, &err) : CLI_OK;
}

void object_list_done(struct object_list *list)
{
	column_set_done(&list->columns);
}

int object_run_list(struct cli *cli, const struct cli_args *args, const char *path,
		    const struct column *columns, const char *initial)
{
	_cleanup_(object_list_done) struct object_list list = { 0 };
	_cleanup_(json_decrefp) json_t *rows = NULL;
	struct err err = { 0 };

	if (object_list_begin(&list, args, columns, initial) != CLI_OK)
		return CLI_USAGE;
	if (client_get(cli->client, path, &rows, &err) < 0)
		return cli_fail(cli, NULL, args->command->path, &err);
	return object_list_print(cli, args, &list, rows);
}

bool stdin_is_given(void)
{
	struct stat st;

	return fstat(STDIN_FILENO, &st) == 0 && (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode));
}

int read_stdin(struct buf *text, struct err *err)
{
	for (;;) {
		ssize_t n = read(STDIN_FILENO, buf_reserve(text, 65536), 65536);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, -errno, "read standard input");
		if (n == 0)
			return 0;
		text->len += (size_t)n;
		text->data[text->len] = '\0';
		if (text->len > STDIN_MAX)
			return err_set(err, -EFBIG, "read standard input");
	}
}

/* YAML gives text for everything: turn what the API has as a boolean into one. */
static void restore_booleans(json_t *value)
{
	static const char *const names[] = { "auto_update", "ephemeral", "public", "stateful",
					     "start" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *text = json_string_value(json_object_get(value, names[i]));

		if (streq(text, "true") || streq(text, "false"))
			(void)json_object_set_new(value, names[i], json_boolean(text[0] == 't'));
	}
}

int document_parse(const char *text, size_t len, json_t **ret_value, struct err *err)
{
	json_t *value = NULL;
	int r = yaml_parse(text, len, &value, err);

	if (r < 0)
		return r;
	if (!json_is_object(value)) {
		json_decref(value);
		return err_kind(err, ERR_INVALID, "a document with KEY: VALUE lines is expected");
	}
	restore_booleans(value);
	*ret_value = value;
	return 0;
}

/*
 * What is misspelled would be a member that is missing, and take away what it has now. Members of
 * @value that cannot be changed may be there: "show" has them, too.
 */
static int check_members(const struct object_kind *kind, const json_t *value, json_t *edited,
			 struct err *err)
{
	_cleanup_(freep) char *known = strv_join(kind->writable, ", ");
	const char *key;
	json_t *member;

	json_object_foreach(edited, key, member)
	{
		if (!strv_contains(kind->writable, key) && !json_object_get(value, key))
			return err_kind(err, ERR_INVALID, "there is no key \"%.64s\" here, but %s",
					key, known);
	}
	return 0;
}

/* What the user makes of @value in an editor, put back; again as long as they want. */
static int edit_on_terminal(struct cli *cli, const struct object_kind *kind, const char *name)
{
	_cleanup_(json_decrefp) json_t *value = NULL;
	_cleanup_(freep) char *etag = NULL;
	_cleanup_(json_decrefp) json_t *part = NULL;
	struct buf text = { 0 };
	struct err err = { 0 };
	int r = object_get(cli, kind, name, &value, &etag, &err);

	if (r < 0)
		return object_fail(cli, kind, name, "edit", &err);
	part = object_writable(kind, value);
	yaml_emit(part, &text);
	do {
		_cleanup_(json_decrefp) json_t *edited = NULL;

		err = (struct err){ 0 };
		r = editor_run(&text, &err);
		if (r != 0)
			break; /* failed, or nothing changed */
		r = document_parse(buf_str(&text), text.len, &edited, &err);
		if (r == 0)
			r = check_members(kind, value, edited, &err);
		if (r == 0)
			r = object_put(cli, kind, name, edited, etag, &err);
	} while (r < 0 && r != -ESTALE && editor_ask_again(err.msg));
	buf_done(&text);
	return r < 0 ? cli_fail(cli, name ? name : kind->word, "edit", &err) : CLI_OK;
}

int object_run_edit(struct cli *cli, const struct object_kind *kind, const char *name)
{
	_cleanup_(json_decrefp) json_t *value = NULL;
	_cleanup_(json_decrefp) json_t *edited = NULL;
	struct buf text = { 0 };
	struct err err = { 0 };
	int r;

	if (isatty(STDIN_FILENO))
		return edit_on_terminal(cli, kind, name);
	r = read_stdin(&text, &err);
	if (r == 0)
		r = document_parse(buf_str(&text), text.len, &edited, &err);
	if (r == 0)
		r = object_get(cli, kind, name, &value, NULL, &err);
	if (r == 0)
		r = check_members(kind, value, edited, &err);
	if (r == 0)
		r = object_put(cli, kind, name, edited, NULL, &err);
	buf_done(&text);
	return r < 0 ? object_fail(cli, kind, name, "edit", &err) : CLI_OK;
}

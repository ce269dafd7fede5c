/* cli/cmd_profile.c - profile: shared configuration, and which instances have it */
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "cli/table.h"
#include "codec/json.h"

static const struct column columns[] = {
	{ 'n', "NAME", cell_text, "name", 0, NULL },
	{ 'd', "DESCRIPTION", cell_text, "description", 0, NULL },
	{ 'u', "USED BY", cell_count, "used_by", COLUMN_RIGHT, NULL },
	{ 0 },
};

static int run_list(struct cli *cli, const struct cli_args *args)
{
	return object_run_list(cli, args, "/1.0/profiles?recursion=1", columns, "ndu");
}

static int run_show(struct cli *cli, const struct cli_args *args)
{
	return object_run_show(cli, &object_profile, args);
}

static int run_get(struct cli *cli, const struct cli_args *args)
{
	return object_run_get(cli, &object_profile, args->words[0], args->words[1]);
}

static int run_set(struct cli *cli, const struct cli_args *args)
{
	return object_run_set(cli, &object_profile, args->words[0], args->words + 1);
}

static int run_unset(struct cli *cli, const struct cli_args *args)
{
	return object_run_unset(cli, &object_profile, args->words[0], args->words + 1);
}

static int run_edit(struct cli *cli, const struct cli_args *args)
{
	return object_run_edit(cli, &object_profile, args->words[0]);
}

static int run_delete(struct cli *cli, const struct cli_args *args)
{
	return object_run_delete(cli, &object_profile, args);
}

static int post(struct cli *cli, const char *name, const json_t *body, const char *step)
{
	struct err err = { 0 };

	if (cli_operate(cli, "POST", object_profile.collection, body, NULL, &err) < 0)
		return cli_fail(cli, name, step, &err);
	return CLI_OK;
}

static int run_create(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char **config = args_all(args, "config");
	_cleanup_(json_decrefp) json_t *body = json_object();
	json_t *pairs = json_object();
	struct buf text = { 0 };
	struct err err = { 0 };
	int r = 0;

	if (stdin_is_given())
		r = read_stdin(&text, &err);
	if (r == 0 && text.len > 0) {
		json_decref(TAKE_PTR(body));
		r = document_parse(buf_str(&text), text.len, &body, &err);
	}
	buf_done(&text);
	if (r == 0)
		r = pairs_apply(config, pairs, &err);
	if (r == 0) {
		(void)json_object_set_new(body, "name", json_string(args->words[0]));
		if (args_get(args, "description"))
			(void)json_object_set_new(body, "description",
						  json_string(args_get(args, "description")));
		if (json_object_size(pairs) > 0)
			(void)json_object_set(body, "config", pairs);
	}
	json_decref(pairs);
	return r < 0 ? cli_fail(cli, args->words[0], "create", &err)
		     : post(cli, args->words[0], body, "create");
}

static int run_copy(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(json_decrefp) json_t *source = NULL;
	_cleanup_(json_decrefp) json_t *body = NULL;
	struct err err = { 0 };

	if (object_get(cli, &object_profile, args->words[0], &source, NULL, &err) < 0)
		return object_fail(cli, &object_profile, args->words[0], "copy", &err);
	body = object_writable(&object_profile, source);
	(void)json_object_set_new(body, "name", json_string(args->words[1]));
	return post(cli, args->words[1], body, "copy");
}

static int run_rename(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(freep) char *path = object_path(&object_profile, args->words[0], "");
	_cleanup_(json_decrefp) json_t *body = json_pack("{ss}", "name", args->words[1]);
	struct err err = { 0 };

	if (cli_operate(cli, "POST", path, body, NULL, &err) < 0)
		return object_fail(cli, &object_profile, args->words[0], "rename", &err);
	return CLI_OK;
}

struct stack_edit {
	int (*change)(json_t *profiles, char **names, struct err *err);
	char **names;
};

static int edit_stack(void *data, json_t *instance, struct err *err)
{
	const struct stack_edit *edit = data;
	json_t *profiles = json_object_get(instance, "profiles");

	if (!json_is_array(profiles)) {
		profiles = json_array();
		(void)json_object_set_new(instance, "profiles", profiles);
	}
	return edit->change(profiles, edit->names, err);
}

/* Let @change make new ones of an instance's profiles. */
static int change_profiles(struct cli *cli, const struct cli_args *args, const char *step,
			   int (*change)(json_t *profiles, char **names, struct err *err))
{
	struct stack_edit edit = { change, args->words + 1 };

	return object_change(cli, &object_instance, args->words[0], step, edit_stack, &edit);
}

/* Index of @name, its size when it is not there. */
static size_t find_name(const json_t *profiles, const char *name)
{
	size_t i = 0;

	while (i < json_array_size(profiles) &&
	       !streq(json_string_value(json_array_get(profiles, i)), name))
		i++;
	return i;
}

static int add_names(json_t *profiles, char **names, struct err *err)
{
	for (; *names; names++) {
		if (find_name(profiles, *names) < json_array_size(profiles))
			return err_kind(err, ERR_CONFLICT, "it has profile \"%s\" already", *names);
		(void)json_array_append_new(profiles, json_string(*names));
	}
	return 0;
}

static int remove_names(json_t *profiles, char **names, struct err *err)
{
	for (; *names; names++) {
		size_t at = find_name(profiles, *names);

		if (at == json_array_size(profiles))
			return err_kind(err, ERR_NOT_FOUND, "it has no profile \"%s\"", *names);
		(void)json_array_remove(profiles, at);
	}
	return 0;
}

/* "a,b" or "a" "b"; nothing at all leaves none. */
static int assign_names(json_t *profiles, char **names, struct err *err)
{
	(void)err;
	(void)json_array_clear(profiles);
	for (; *names; names++) {
		_cleanup_(strv_freep) char **parts = strv_split(*names, ",");

		for (char **p = parts; p && *p; p++)
			(void)json_array_append_new(profiles, json_string(*p));
	}
	return 0;
}

static int run_add(struct cli *cli, const struct cli_args *args)
{
	return change_profiles(cli, args, "add profile", add_names);
}

static int run_remove(struct cli *cli, const struct cli_args *args)
{
	return change_profiles(cli, args, "remove profile", remove_names);
}

static int run_assign(struct cli *cli, const struct cli_args *args)
{
	return change_profiles(cli, args, "assign profiles", assign_names);
}

static const struct cli_option create_options[] = {
	{ 'c', "config", "KEY=VALUE", "set a configuration key", HINT_KEY },
	{ 0, "description", "TEXT", "what it is for", HINT_NONE },
	{ 0 },
};

const struct cli_command cmd_profile_list = {
	.path = "profile list",
	.aliases = "profile ls",
	.usage = "",
	.summary = "List profiles",
	.example = "sysctr profile list",
	.options = { object_list_options },
	.run = run_list,
};

const struct cli_command cmd_profile_show = {
	.path = "profile show",
	.usage = "PROFILE",
	.summary = "Show a profile as YAML",
	.example = "sysctr profile show default",
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_PROFILE },
	.run = run_show,
};

const struct cli_command cmd_profile_create = {
	.path = "profile create",
	.usage = "PROFILE",
	.summary = "Create a profile, from YAML on standard input if there is any",
	.example =
		"sysctr profile create web -c limits.cpu=2\nsysctr profile create web < web.yaml",
	.options = { create_options },
	.min_words = 1,
	.max_words = 1,
	.run = run_create,
};

const struct cli_command cmd_profile_edit = {
	.path = "profile edit",
	.usage = "PROFILE",
	.summary = "Edit a profile as YAML, or read it from standard input",
	.example = "sysctr profile edit web\nsysctr profile edit web < web.yaml",
	.options = { object_edit_options },
	.min_words = 1,
	.max_words = 1,
	.hints = { HINT_PROFILE },
	.run = run_edit,
};

const struct cli_command cmd_profile_get = {
	.path = "profile get",
	.usage = "PROFILE KEY",
	.summary = "Show the value of a profile's key",
	.example = "sysctr profile get web limits.cpu",
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_PROFILE, HINT_KEY },
	.run = run_get,
};

const struct cli_command cmd_profile_set = {
	.path = "profile set",
	.usage = "PROFILE KEY=VALUE...",
	.summary = "Set keys of a profile",
	.example = "sysctr profile set web limits.cpu=2 limits.memory=1GiB",
	.options = { object_edit_options },
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_PROFILE, HINT_KEY },
	.run = run_set,
};

const struct cli_command cmd_profile_unset = {
	.path = "profile unset",
	.usage = "PROFILE KEY...",
	.summary = "Remove keys of a profile",
	.example = "sysctr profile unset web limits.cpu",
	.options = { object_edit_options },
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_PROFILE, HINT_KEY },
	.run = run_unset,
};

const struct cli_command cmd_profile_copy = {
	.path = "profile copy",
	.usage = "PROFILE NEW",
	.summary = "Copy a profile",
	.example = "sysctr profile copy default web",
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_PROFILE, HINT_NONE },
	.run = run_copy,
};

const struct cli_command cmd_profile_rename = {
	.path = "profile rename",
	.usage = "PROFILE NEW",
	.summary = "Rename a profile",
	.example = "sysctr profile rename web www",
	.min_words = 2,
	.max_words = 2,
	.hints = { HINT_PROFILE, HINT_NONE },
	.run = run_rename,
};

const struct cli_command cmd_profile_delete = {
	.path = "profile delete",
	.aliases = "profile rm",
	.usage = "PROFILE...",
	.summary = "Delete profiles that nothing uses",
	.example = "sysctr profile delete web",
	.min_words = 1,
	.max_words = CLI_MANY,
	.hints = { HINT_PROFILE },
	.run = run_delete,
};

const struct cli_command cmd_profile_assign = {
	.path = "profile assign",
	.aliases = "profile apply",
	.usage = "NAME [PROFILE]...",
	.summary = "Give an instance exactly these profiles",
	.example = "sysctr profile assign web1 default web",
	.options = { object_edit_options },
	.min_words = 1,
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE, HINT_PROFILE },
	.run = run_assign,
};

const struct cli_command cmd_profile_add = {
	.path = "profile add",
	.usage = "NAME PROFILE...",
	.summary = "Give an instance more profiles",
	.example = "sysctr profile add web1 web",
	.options = { object_edit_options },
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE, HINT_PROFILE },
	.run = run_add,
};

const struct cli_command cmd_profile_remove = {
	.path = "profile remove",
	.usage = "NAME PROFILE...",
	.summary = "Take profiles from an instance",
	.example = "sysctr profile remove web1 web",
	.options = { object_edit_options },
	.min_words = 2,
	.max_words = CLI_MANY,
	.hints = { HINT_INSTANCE, HINT_PROFILE },
	.run = run_remove,
};

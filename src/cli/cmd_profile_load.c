/*
 * cli/cmd_profile_load.c - profile load: profiles from files, as they are shown and exported
 *
 * Each file is one edit, so it is wholly there or not at all; loading it again changes nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "spec/names.h"

static bool is_profile_file(const char *name)
{
	return name[0] != '.' && (str_ends_with(name, ".yaml") || str_ends_with(name, ".yml") ||
				  str_ends_with(name, ".json"));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* @path itself, or the profile files of that directory in order of their names. */
static int collect(const char *path, char ***files, struct err *err)
{
	size_t before = strv_len(*files);
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	if (stat(path, &st) < 0)
		return err_set(err, -errno, "open \"%s\"", path);
	if (!S_ISDIR(st.st_mode)) {
		strv_push(files, path);
		return 0;
	}
	dir = opendir(path);
	if (!dir)
		return err_set(err, -errno, "open \"%s\"", path);
	while ((entry = readdir(dir)))
		if (is_profile_file(entry->d_name))
			strv_push_take(files, xasprintf("%s/%s", path, entry->d_name));
	(void)closedir(dir);
	if (strv_len(*files) == before)
		return err_kind(err, ERR_NOT_FOUND, "\"%s\" has no files *.yaml", path);
	qsort(*files + before, strv_len(*files) - before, sizeof(char *), by_name);
	return 0;
}

static int read_file(const char *path, struct buf *text, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	if (fd < 0)
		return err_set(err, -errno, "open \"%s\"", path);
	while (n > 0 && text->len <= YAML_BYTES_MAX) {
		n = read(fd, buf_reserve(text, BUFSIZ), BUFSIZ);
		if (n > 0)
			text->len += (size_t)n;
	}
	buf_add(text, "", 0);
	(void)close(fd);
	return n < 0 ? err_set(err, -errno, "read \"%s\"", path) : 0;
}

/* The profile's name: its own member, else the file's name without its ending. */
static char *name_of(const json_t *profile, const char *file)
{
	const char *name = json_str(profile, "name", NULL);
	const char *slash = strrchr(file, '/');
	const char *base = slash ? slash + 1 : file;

	return name ? xstrdup(name) : xstrndup(base, (size_t)(strrchr(base, '.') - base));
}

static int parse(const char *file, json_t **ret_profile, char **ret_name, struct err *err)
{
	struct buf text = { 0 };
	json_t *profile = NULL;
	int r;

	if (!is_profile_file(strrchr(file, '/') ? strrchr(file, '/') + 1 : file))
		return err_kind(err, ERR_INVALID, "\"%s\" must be called NAME.yaml", file);
	r = read_file(file, &text, err);
	if (r == 0)
		r = document_parse(buf_str(&text), text.len, &profile, err);
	buf_done(&text);
	if (r < 0)
		return err_wrap(err, "\"%s\"", file);
	*ret_name = name_of(profile, file);
	*ret_profile = profile;
	r = name_validate(NAME_PROFILE, *ret_name, err);
	return r < 0 ? err_wrap(err, "\"%s\"", file) : 0;
}

/* What a file leaves out is empty: the profile becomes what the file says. */
static json_t *complete(const json_t *profile)
{
	json_t *part = object_writable(&object_profile, profile);

	if (!json_is_string(json_object_get(part, "description")))
		(void)json_object_set_new(part, "description", json_string(""));
	if (!json_get(part, "config"))
		(void)json_object_set_new(part, "config", json_object());
	if (!json_get(part, "devices"))
		(void)json_object_set_new(part, "devices", json_object());
	return part;
}

static int create(struct cli *cli, const char *name, json_t *part, struct err *err)
{
	int r;

	if (cli->dry_run) {
		cli_say(cli, "Profile %s would be created", name);
		return 0;
	}
	(void)json_object_set_new(part, "name", json_string(name));
	r = cli_operate(cli, "POST", object_profile.collection, part, NULL, err);
	if (r == 0)
		cli_say(cli, "Profile %s created", name);
	return r;
}

static int load_one(struct cli *cli, const char *file, struct err *err)
{
	_cleanup_(json_decrefp) json_t *profile = NULL;
	_cleanup_(json_decrefp) json_t *current = NULL;
	_cleanup_(json_decrefp) json_t *part = NULL;
	_cleanup_(json_decrefp) json_t *old = NULL;
	_cleanup_(freep) char *name = NULL;
	_cleanup_(freep) char *etag = NULL;
	int r = parse(file, &profile, &name, err);

	if (r < 0)
		return r;
	part = complete(profile);
	r = object_get(cli, &object_profile, name, &current, &etag, err);
	if (r < 0 && err->kind == ERR_NOT_FOUND) {
		*err = (struct err){ 0 };
		return create(cli, name, part, err);
	}
	if (r < 0)
		return r;
	old = complete(current);
	if (json_equal(old, part)) {
		cli_say(cli, "Profile %s is so already", name);
		return 0;
	}
	r = object_put(cli, &object_profile, name, part, etag, err);
	if (r == 0 && !cli->dry_run)
		cli_say(cli, "Profile %s updated", name);
	return r;
}

static int run(struct cli *cli, const struct cli_args *args)
{
	_cleanup_(strv_freep) char **files = NULL;
	int status = CLI_OK;

	for (size_t i = 0; i < args->n_words; i++) {
		struct err err = { 0 };

		if (collect(args->words[i], &files, &err) < 0)
			return cli_fail(cli, args->words[i], "load", &err);
	}
	for (char **file = files; file && *file; file++) {
		struct err err = { 0 };

		if (load_one(cli, *file, &err) < 0)
			status = cli_fail(cli, *file, "load", &err);
	}
	return status;
}

const struct cli_command cmd_profile_load = {
	.path = "profile load",
	.usage = "FILE|DIRECTORY...",
	.summary = "Create or update profiles from YAML files",
	.text = "Files of \"profile show\", \"lxc profile show\" and \"incus profile show\" are fine.\n"
		"Each file is done wholly or not at all; a second time changes nothing.",
	.example = "sysctr profile load /etc/sysctr/profiles",
	.options = { object_edit_options },
	.min_words = 1,
	.max_words = CLI_MANY,
	.hints = { HINT_FILE },
	.run = run,
};

/*
 * spec/template_parse.c - the YAML of a template to struct template (see template.h)
 *
 * One row per key; a section is read by walking its rows, so that what is not in a row is unknown.
 */
#include "spec/template.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/yaml.h"

static const char *const downloaders[] = { "debootstrap", "rootfs-http", NULL };
static_assert(ARRAY_LEN(downloaders) == TEMPLATE_DOWNLOADER_MAX + 1, "a name each");
static const char *const generators[] = { "dump", "copy", "remove", "symlink", NULL };
static_assert(ARRAY_LEN(generators) == TEMPLATE_GENERATOR_MAX + 1, "a name each");
static const char *const triggers[] = { "post-unpack", "post-packages", "post-files", NULL };
static_assert(ARRAY_LEN(triggers) == TEMPLATE_TRIGGER_MAX + 1, "a name each");
static const char *const managers[] = { "apt", "apk", NULL };
static_assert(ARRAY_LEN(managers) == TEMPLATE_MANAGER_MAX + 1, "a name each");
static const char *const arch_names[] = { "kernel", "debian", "alpinelinux", NULL };
static_assert(ARRAY_LEN(arch_names) == TEMPLATE_ARCH_NAMES_MAX + 1, "a name each");
static const char *const package_actions[] = { "install", NULL };

enum value_type {
	VALUE_STR,
	VALUE_STRV, /* a list, or one word */
	VALUE_WORD, /* uint32_t: index in words */
	VALUE_U32,
	VALUE_OCTAL,
	VALUE_CHECKED, /* one of words, and nothing is kept */
	VALUE_TYPE_MAX
};

struct row {
	const char *key;
	enum value_type type;
	size_t offset;
	const char *const *words;
	bool required;
};

#define ROW(struct_name, member, key_, type_, ...)                                          \
	{                                                                                   \
		.key = key_, .type = type_, .offset = offsetof(struct struct_name, member), \
		##__VA_ARGS__                                                               \
	}
#define WHEN_ROWS(struct_name)                                           \
	ROW(struct_name, when.releases, "releases", VALUE_STRV),         \
		ROW(struct_name, when.variants, "variants", VALUE_STRV), \
		ROW(struct_name, when.architectures, "architectures", VALUE_STRV)

static const struct row image_rows[] = {
	ROW(template, distribution, "distribution", VALUE_STR, .required = true),
	ROW(template, release, "release", VALUE_STR, .required = true),
	ROW(template, variant, "variant", VALUE_STR),
	ROW(template, description, "description", VALUE_STR),
	ROW(template, architectures, "architecture", VALUE_STRV),
};

static const struct row source_rows[] = {
	ROW(template, downloader, "downloader", VALUE_WORD, .words = downloaders, .required = true),
	ROW(template, mirror, "mirror", VALUE_STR),
	ROW(template, url, "url", VALUE_STR),
	ROW(template, index_url, "index_url", VALUE_STR),
	ROW(template, flavor, "flavor", VALUE_STR),
	ROW(template, checksum_url, "checksum_url", VALUE_STR),
	ROW(template, checksum, "checksum", VALUE_STR),
	ROW(template, components, "components", VALUE_STRV),
	ROW(template, debootstrap_variant, "variant", VALUE_STR),
};

static const struct row set_rows[] = {
	ROW(template_packages, packages, "packages", VALUE_STRV, .required = true),
	{ .key = "action", .type = VALUE_CHECKED, .words = package_actions },
	WHEN_ROWS(template_packages),
};

static const struct row file_rows[] = {
	ROW(template_file, path, "path", VALUE_STR, .required = true),
	ROW(template_file, generator, "generator", VALUE_WORD, .words = generators,
	    .required = true),
	ROW(template_file, content, "content", VALUE_STR),
	ROW(template_file, source, "source", VALUE_STR),
	ROW(template_file, mode, "mode", VALUE_OCTAL),
	ROW(template_file, uid, "uid", VALUE_U32),
	ROW(template_file, gid, "gid", VALUE_U32),
	WHEN_ROWS(template_file),
};

static const struct row action_rows[] = {
	ROW(template_action, trigger, "trigger", VALUE_WORD, .words = triggers, .required = true),
	ROW(template_action, script, "action", VALUE_STR, .required = true),
	WHEN_ROWS(template_action),
};

static const struct row mapping_rows[] = {
	ROW(template, arch_names, "architecture_map", VALUE_WORD, .words = arch_names),
};

static const struct row package_rows[] = {
	ROW(template, manager, "manager", VALUE_WORD, .words = managers),
	ROW(template, repositories, "repositories", VALUE_STRV),
};

static const struct row init_rows[] = {
	ROW(template, stop_signal, "stop_signal", VALUE_STR),
	ROW(template, init, "init", VALUE_STR),
};

/* "<what> "<word>" is unknown; did you mean ..." */
static int unknown(const char *where, const char *what, const char *word, const char *const *known,
		   struct err *err)
{
	const char *near = str_nearest(word, known);

	return err_kind(err, ERR_INVALID, "%s: unknown %s \"%s\"%s%s%s", where, what, word,
			near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static int read_word(const char *where, const struct row *row, const char *text, uint32_t *ret,
		     struct err *err)
{
	for (uint32_t i = 0; row->words[i]; i++)
		if (streq(row->words[i], text)) {
			if (ret)
				*ret = i;
			return 0;
		}
	return unknown(where, row->key, text, row->words, err);
}

static int read_strv(const char *where, const struct row *row, const json_t *value, char ***ret,
		     struct err *err)
{
	json_t *item;
	size_t i;

	if (json_is_string(value)) {
		strv_push(ret, json_string_value(value));
		return 0;
	}
	json_array_foreach(value, i, item)
	{
		if (!json_is_string(item))
			return err_kind(err, ERR_INVALID, "%s: \"%s\" must be a list of words",
					where, row->key);
		strv_push(ret, json_string_value(item));
	}
	return json_is_array(value)
		       ? 0
		       : err_kind(err, ERR_INVALID, "%s: \"%s\" must be a list", where, row->key);
}

static int read_number(const char *where, const struct row *row, const char *text, uint32_t *ret,
		       struct err *err)
{
	int r = row->type == VALUE_OCTAL ? parse_octal(text, 07777, ret) : parse_u32(text, ret);

	if (r < 0)
		return err_kind(err, ERR_INVALID, "%s: \"%s\" is no %snumber: \"%s\"", where,
				row->key, row->type == VALUE_OCTAL ? "octal " : "", text);
	return 0;
}

static int read_value(const char *where, const struct row *row, const json_t *value, void *object,
		      struct err *err)
{
	void *member = (char *)object + row->offset;
	const char *text = json_string_value(value);

	if (row->type == VALUE_STRV)
		return read_strv(where, row, value, member, err);
	if (!text)
		return err_kind(err, ERR_INVALID, "%s: \"%s\" must be a word", where, row->key);
	switch (row->type) {
	case VALUE_STR:
		replace_str(member, text);
		return 0;
	case VALUE_WORD:
		return read_word(where, row, text, member, err);
	case VALUE_CHECKED:
		return read_word(where, row, text, NULL, err);
	case VALUE_U32:
	case VALUE_OCTAL:
		return read_number(where, row, text, member, err);
	case VALUE_STRV:
	case VALUE_TYPE_MAX:
		break;
	}
	return -EINVAL;
}

/* Refuse keys of @section that are neither in @rows nor in @others ("a b c"). */
static int check_keys(const char *where, const json_t *section, const struct row *rows,
		      size_t n_rows, const char *others, struct err *err)
{
	_cleanup_(strv_freep) char **known = strv_split(others, " ");
	json_t *value;
	const char *key;

	if (!json_is_object(section))
		return err_kind(err, ERR_INVALID, "%s: must have keys and values", where);
	for (size_t i = 0; i < n_rows; i++)
		strv_push(&known, rows[i].key);
	json_object_foreach((json_t *)section, key, value)
	{
		if (!strv_contains((const char *const *)known, key))
			return unknown(where, "key", key, (const char *const *)known, err);
	}
	return 0;
}

/* Fill @object from @section by its rows; null counts as missing. */
static int read_section(const char *where, const json_t *section, const struct row *rows,
			size_t n_rows, void *object, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_rows; i++) {
		const json_t *value = json_object_get(section, rows[i].key);

		if (value && !json_is_null(value))
			r = read_value(where, &rows[i], value, object, err);
		else if (rows[i].required)
			r = err_kind(err, ERR_INVALID, "%s: \"%s\" is missing", where, rows[i].key);
	}
	return r;
}

static int read_whole(const char *where, const json_t *section, const struct row *rows,
		      size_t n_rows, void *object, struct err *err)
{
	int r = check_keys(where, section, rows, n_rows, "", err);

	return r < 0 ? r : read_section(where, section, rows, n_rows, object, err);
}

/* releases: and variants: name -> description. */
static int read_choices(struct template *t, const char *where, const json_t *section,
			struct err *err)
{
	json_t *value;
	const char *name;

	if (!json_is_object(section))
		return err_kind(err, ERR_INVALID, "%s: must have names and descriptions", where);
	json_object_foreach((json_t *)section, name, value)
	{
		struct template_choice *choice =
			streq(where, "releases") ? vec_push(&t->releases) : vec_push(&t->variants);

		choice->name = xstrdup(name);
		if (!json_is_string(value) && !json_is_null(value))
			return err_kind(err, ERR_INVALID, "%s: \"%s\" must be a description", where,
					name);
		choice->description = xstrdup(json_string_value(value));
	}
	return 0;
}

static int check_file(const char *where, const struct template_file *file, struct err *err)
{
	bool needs_content =
		file->generator == TEMPLATE_DUMP || file->generator == TEMPLATE_SYMLINK;

	if (file->path[0] != '/' || strstr(file->path, "/../") ||
	    str_ends_with(file->path, "/..") || str_ends_with(file->path, "/"))
		return err_kind(err, ERR_INVALID,
				"%s: \"path\" must be a plain absolute path: \"%s\"", where,
				file->path);
	if (needs_content != (file->content != NULL))
		return err_kind(err, ERR_INVALID, "%s: \"content\" is %s", where,
				needs_content ? "missing" : "not for this generator");
	if ((file->generator == TEMPLATE_COPY) != (file->source != NULL))
		return err_kind(err, ERR_INVALID, "%s: \"source\" is %s", where,
				file->source ? "not for this generator" : "missing");
	if (file->source && (strchr(file->source, '/') || file->source[0] == '.'))
		return err_kind(err, ERR_INVALID,
				"%s: \"source\" must be a plain file name: \"%s\"", where,
				file->source);
	return 0;
}

static int read_file(struct template *t, const char *where, const json_t *item, struct err *err)
{
	struct template_file *file = vec_push(&t->files);
	int r;

	file->mode = 0644;
	r = read_whole(where, item, file_rows, ARRAY_LEN(file_rows), file, err);
	return r < 0 ? r : check_file(where, file, err);
}

static int read_set(struct template *t, const char *where, const json_t *item, struct err *err)
{
	struct template_packages *set = vec_push(&t->sets);
	int r = read_whole(where, item, set_rows, ARRAY_LEN(set_rows), set, err);

	/* a name is an argument of a package manager: it must not look like an option */
	for (size_t i = 0; r == 0 && set->packages && set->packages[i]; i++)
		if (!str_only(set->packages[i], "abcdefghijklmnopqrstuvwxyz0123456789.+-_") ||
		    set->packages[i][0] == '-' || str_empty(set->packages[i]))
			r = err_kind(err, ERR_INVALID, "%s: \"%s\" is no package name", where,
				     set->packages[i]);
	return r;
}

static int read_action(struct template *t, const char *where, const json_t *item, struct err *err)
{
	return read_whole(where, item, action_rows, ARRAY_LEN(action_rows), vec_push(&t->actions),
			  err);
}

typedef int read_item_fn(struct template *t, const char *where, const json_t *item,
			 struct err *err);

static int read_list(struct template *t, const char *where, const json_t *list, read_item_fn *fn,
		     struct err *err)
{
	json_t *item;
	size_t i;
	int r = 0;

	if (!json_is_array(list))
		return err_kind(err, ERR_INVALID, "%s: must be a list", where);
	json_array_foreach(list, i, item)
	{
		_cleanup_(freep) char *place = xasprintf("%s[%zu]", where, i);

		r = fn(t, place, item, err);
		if (r < 0)
			break;
	}
	return r;
}

static int read_packages(struct template *t, const json_t *section, struct err *err)
{
	const json_t *sets = json_object_get(section, "sets");
	int r = check_keys("packages", section, package_rows, ARRAY_LEN(package_rows), "sets", err);

	if (r == 0)
		r = read_section("packages", section, package_rows, ARRAY_LEN(package_rows), t,
				 err);
	return r < 0 || !sets ? r : read_list(t, "packages.sets", sets, read_set, err);
}

/* One top-level section; its name is known. */
static int read_top(struct template *t, const char *name, const json_t *value, struct err *err)
{
	if (streq(name, "image"))
		return read_whole(name, value, image_rows, ARRAY_LEN(image_rows), t, err);
	if (streq(name, "source"))
		return read_whole(name, value, source_rows, ARRAY_LEN(source_rows), t, err);
	if (streq(name, "mappings"))
		return read_whole(name, value, mapping_rows, ARRAY_LEN(mapping_rows), t, err);
	if (streq(name, "packages"))
		return read_packages(t, value, err);
	if (streq(name, "files"))
		return read_list(t, name, value, read_file, err);
	if (streq(name, "actions"))
		return read_list(t, name, value, read_action, err);
	return read_choices(t, name, value, err);
}

/* What only the whole can tell. */
static int check_template(const struct template *t, struct err *err)
{
	if (!t->distribution)
		return err_kind(err, ERR_INVALID, "\"image\" is missing");
	if (t->downloader == TEMPLATE_DOWNLOADER_MAX)
		return err_kind(err, ERR_INVALID, "\"source\" is missing");
	if (t->downloader == TEMPLATE_ROOTFS_HTTP && !t->url && !t->index_url)
		return err_kind(err, ERR_INVALID, "source: \"url\" or \"index_url\" is missing");
	if (t->index_url && !t->flavor)
		return err_kind(err, ERR_INVALID, "source: \"flavor\" is missing");
	return 0;
}

static int read_template(struct template *t, const json_t *root, struct err *err)
{
	static const char *const sections[] = { "image",    "source",	"releases", "variants",
						"mappings", "packages", "files",    "actions" };
	int r = check_keys("template", root, init_rows, ARRAY_LEN(init_rows),
			   "image source releases variants mappings packages files actions", err);

	if (r == 0)
		r = read_section("template", root, init_rows, ARRAY_LEN(init_rows), t, err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(sections); i++) {
		const json_t *value = json_object_get(root, sections[i]);

		if (value && !json_is_null(value))
			r = read_top(t, sections[i], value, err);
	}
	return r < 0 ? r : check_template(t, err);
}

int template_parse(const char *text, size_t len, struct template **ret_template, struct err *err)
{
	_cleanup_(template_freep) struct template *t = xcalloc(1, sizeof(*t));
	_cleanup_(json_decrefp) json_t *root = NULL;
	int r;

	t->downloader = TEMPLATE_DOWNLOADER_MAX;
	r = yaml_parse(text, len, &root, err);
	if (r < 0)
		return r;
	r = read_template(t, root, err);
	if (r < 0)
		return r;
	*ret_template = TAKE_PTR(t);
	return 0;
}

/* image/release_index.c - see release_index.h */
#include "image/release_index.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/yaml.h"

enum {
	SHA256_DIGITS = 64,
	SHA512_DIGITS = 128
};

static bool is_hex(const char *s, size_t digits)
{
	return s && strlen(s) == digits && str_only(s, "0123456789abcdef");
}

static bool is_plain_name(const char *s)
{
	return !str_empty(s) && s[0] != '.' && !strchr(s, '/') && !strpbrk(s, "?#%\\ \t\r\n");
}

static int take_entry(const json_t *item, struct release_entry *ret_entry, struct err *err)
{
	const char *file = json_str(item, "file", NULL);
	const char *sha512 = json_str(item, "sha512", NULL);
	const char *sha256 = json_str(item, "sha256", NULL);

	if (!is_plain_name(file))
		return err_kind(err, ERR_INVALID, "index: \"file\" is no plain file name");
	if (is_hex(sha512, SHA512_DIGITS))
		ret_entry->checksum = xasprintf("sha512:%s", sha512);
	else if (is_hex(sha256, SHA256_DIGITS))
		ret_entry->checksum = xasprintf("sha256:%s", sha256);
	ret_entry->file = xstrdup(file);
	ret_entry->version = xstrdup(json_str(item, "version", NULL));
	return 0;
}

int release_index_find(const char *text, size_t len, const char *flavor,
		       struct release_entry *ret_entry, struct err *err)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	json_t *item;
	size_t i;
	int r = yaml_parse(text, len, &root, err);

	if (r < 0)
		return err_wrap(err, "index");
	if (!json_is_array(root))
		return err_kind(err, ERR_INVALID, "index: must be a list");
	json_array_foreach(root, i, item)
	{
		if (streq(json_str(item, "flavor", NULL), flavor))
			return take_entry(item, ret_entry, err);
	}
	return err_kind(err, ERR_NOT_FOUND, "index: there is no \"%s\"", flavor);
}

void release_entry_done(struct release_entry *entry)
{
	free(entry->file);
	free(entry->version);
	free(entry->checksum);
	*entry = (struct release_entry){ 0 };
}

/* "./dir/name" and "*name" are "name". */
static bool names_file(const char *word, const char *name)
{
	const char *slash = word ? strrchr(word, '/') : NULL;

	if (!word)
		return false;
	if (slash)
		word = slash + 1;
	return streq(word[0] == '*' ? word + 1 : word, name);
}

int release_checksum_find(const char *text, const char *name, char **ret_checksum, struct err *err)
{
	_cleanup_(strv_freep) char **lines = strv_split(text, "\r\n");
	size_t n = strv_len(lines);

	for (size_t i = 0; i < n; i++) {
		_cleanup_(strv_freep) char **words = strv_split(lines[i], " \t");
		bool fits = strv_len(words) >= 2 ? names_file(words[1], name) : n == 1;

		if (!fits || !words)
			continue;
		if (is_hex(words[0], SHA512_DIGITS))
			*ret_checksum = xasprintf("sha512:%s", words[0]);
		else if (is_hex(words[0], SHA256_DIGITS))
			*ret_checksum = xasprintf("sha256:%s", words[0]);
		else
			continue;
		return 0;
	}
	return err_kind(err, ERR_NOT_FOUND, "checksum file: has no line for \"%s\"", name);
}

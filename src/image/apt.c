/* image/apt.c - see apt.h */
#include "image/apt.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

/* The value of KEY=value in os-release, without quotes. New string or NULL. */
static char *os_release_value(const char *text, const char *key)
{
	_cleanup_(strv_freep) char **lines = strv_split(text, "\n");

	for (size_t i = 0; lines && lines[i]; i++) {
		const char *value = str_after(lines[i], key);

		if (!value || *value++ != '=')
			continue;
		if (*value == '"' || *value == '\'')
			value++;
		return xstrndup(value, strcspn(value, "\"'"));
	}
	return NULL;
}

char *apt_codename(const char *os_release)
{
	_cleanup_(freep) char *id = os_release_value(os_release, "ID");

	return streq(id, "debian") ? os_release_value(os_release, "VERSION_CODENAME") : NULL;
}

static bool usable(const char *uri)
{
	return str_after(uri, "http://") || str_after(uri, "https://") || str_after(uri, "file:/");
}

/* Take over @uri when it serves the suite @suite of interest. */
static void consider(struct apt_mirrors *mirrors, const char *uri, const char *suite,
		     const char *codename)
{
	const char *kind = str_after(suite, codename);
	char **slot = streq(kind, "")		 ? &mirrors->main
		      : streq(kind, "-security") ? &mirrors->security
						 : NULL;

	if (slot && !*slot && usable(uri))
		*slot = xstrdup(uri);
}

/* "deb [options] uri suite components" */
static void find_in_line(const char *line, const char *codename, struct apt_mirrors *mirrors)
{
	_cleanup_(freep) char *plain = xstrdup(line);
	_cleanup_(strv_freep) char **words = NULL;
	char *open = strchr(plain, '['), *close = open ? strchr(open, ']') : NULL;

	if (open && close)
		memset(open, ' ', (size_t)(close - open) + 1);
	words = strv_split(plain, " \t");
	if (strv_len(words) >= 3 && streq(words[0], "deb"))
		consider(mirrors, words[1], words[2], codename);
}

struct stanza {
	char **types, **uris, **suites;
	bool disabled;
};

static void end_stanza(struct stanza *stanza, const char *codename, struct apt_mirrors *mirrors)
{
	bool wanted = !stanza->disabled && strv_contains((const char *const *)stanza->types, "deb");

	for (size_t i = 0; wanted && stanza->suites && stanza->suites[i]; i++)
		for (size_t k = 0; stanza->uris && stanza->uris[k]; k++)
			consider(mirrors, stanza->uris[k], stanza->suites[i], codename);
	strv_free(stanza->types);
	strv_free(stanza->uris);
	strv_free(stanza->suites);
	*stanza = (struct stanza){ 0 };
}

/* One "Field: words" line, or a continuation that begins with a blank. */
static void add_field(struct stanza *stanza, const char *line)
{
	const struct {
		const char *name;
		char ***words;
	} fields[] = {
		{ "types:", &stanza->types },
		{ "uris:", &stanza->uris },
		{ "suites:", &stanza->suites },
	};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		size_t len = strlen(fields[i].name);

		if (strncasecmp(line, fields[i].name, len) == 0) {
			strv_free(*fields[i].words);
			*fields[i].words = strv_split(line + len, " \t");
		}
	}
	if (strncasecmp(line, "enabled:", 8) == 0 && strcasestr(line, "no"))
		stanza->disabled = true;
}

void apt_find_mirrors(const char *text, bool deb822, const char *codename,
		      struct apt_mirrors *mirrors)
{
	struct stanza stanza = { 0 };

	while (*text) {
		size_t len = strcspn(text, "\n");
		_cleanup_(freep) char *line = xstrndup(text, len);

		text += len + (text[len] == '\n');
		if (line[0] == '#')
			continue;
		if (!deb822)
			find_in_line(line, codename, mirrors);
		else if (str_only(line, " \t"))
			end_stanza(&stanza, codename, mirrors);
		else
			add_field(&stanza, line);
	}
	end_stanza(&stanza, codename, mirrors);
}

void apt_mirrors_done(struct apt_mirrors *mirrors)
{
	free(mirrors->main);
	free(mirrors->security);
	*mirrors = (struct apt_mirrors){ 0 };
}

static void add_line(char ***lines, const char *options, const char *uri, const char *suite,
		     const char *components)
{
	strv_push_take(lines, xasprintf("deb %s%s %s %s", options, uri, suite, components));
}

char **apt_source_lines(const struct apt_mirrors *mirrors, const char *release,
			const char *const *components, const char *keyring)
{
	_cleanup_(freep) char *words = components ? strv_join(components, " ") : xstrdup("main");
	_cleanup_(freep) char *options =
		keyring ? xasprintf("[signed-by=%s] ", keyring) : xstrdup("");
	_cleanup_(freep) char *updates = xasprintf("%s-updates", release);
	_cleanup_(freep) char *security = xasprintf("%s-security", release);
	char **lines = NULL;

	if (!mirrors->main)
		return NULL;
	add_line(&lines, options, mirrors->main, release, words);
	add_line(&lines, options, mirrors->main, updates, words);
	if (mirrors->security)
		add_line(&lines, options, mirrors->security, security, words);
	return lines;
}

char **apt_options(const char *dump)
{
	static const char *const wanted[] = { "Acquire::http::", "Acquire::https::",
					      "Acquire::Check-", "Acquire::Retries " };
	_cleanup_(strv_freep) char **lines = strv_split(dump, "\n");
	char **options = NULL;

	for (size_t i = 0; lines && lines[i]; i++) {
		bool take = false;

		for (size_t k = 0; k < ARRAY_LEN(wanted); k++)
			take = take || str_after(lines[i], wanted[k]);
		if (take && str_ends_with(lines[i], "\";") && !str_ends_with(lines[i], " \"\";"))
			strv_push(&options, lines[i]);
	}
	return options;
}

/* cli/command.c - see command.h */
#include "cli/command.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

const struct cli_option cli_common_options[] = {
	{ 'q', "quiet", NULL, "no progress and no messages but errors", HINT_NONE },
	{ 'h', "help", NULL, "show this help", HINT_NONE },
	{ 0 },
};

/* How many of @words the blank-separated @path is made of, 0 when they differ. */
static size_t match_path(const char *path, size_t path_len, char *const *words)
{
	size_t n = 0;

	while (path_len > 0) {
		const char *blank = memchr(path, ' ', path_len);
		size_t len = blank ? (size_t)(blank - path) : path_len;

		if (!words[n] || strlen(words[n]) != len || memcmp(words[n], path, len) != 0)
			return 0;
		n++;
		path += len + (blank != NULL);
		path_len -= len + (blank != NULL);
	}
	return n;
}

static size_t match_command(const struct cli_command *command, char *const *words)
{
	size_t best = match_path(command->path, strlen(command->path), words);
	const char *alias = command->aliases;

	while (!str_empty(alias)) {
		size_t len = strcspn(alias, ",");
		size_t n = match_path(alias, len, words);

		best = MAX(best, n);
		alias += len + (alias[len] == ',');
	}
	return best;
}

const struct cli_command *command_find(char *const *words, size_t *ret_used)
{
	const struct cli_command *best = NULL;

	*ret_used = 0;
	if (!words)
		return NULL;
	for (size_t i = 0; cli_commands[i]; i++) {
		size_t n = match_command(cli_commands[i], words);

		if (n > *ret_used) {
			best = cli_commands[i];
			*ret_used = n;
		}
	}
	return best;
}

bool command_below(const struct cli_command *command, const char *prefix)
{
	const char *rest = str_after(command->path, prefix);

	return str_empty(prefix) || (rest && (*rest == ' ' || *rest == '\0'));
}

bool command_is_group(char *const *words, size_t *ret_used)
{
	_cleanup_(freep) char *prefix = xstrdup("");
	bool found = false;

	*ret_used = 0;
	for (size_t n = 0; words && words[n]; n++) {
		bool here = false;
		char *longer = n ? xasprintf("%s %s", prefix, words[n]) : xstrdup(words[n]);

		replace_str(&prefix, longer);
		freep(&longer);
		for (size_t i = 0; cli_commands[i] && !here; i++)
			here = command_below(cli_commands[i], prefix);
		if (!here)
			break;
		found = true;
		*ret_used = n + 1;
	}
	return found;
}

static const struct cli_option *find_in(const struct cli_option *table, const char *name,
					size_t len)
{
	for (; table && table->name; table++)
		if (strlen(table->name) == len && memcmp(table->name, name, len) == 0)
			return table;
	return NULL;
}

const struct cli_option *command_option(const struct cli_command *command, const char *name,
					size_t len)
{
	const struct cli_option *found = find_in(cli_common_options, name, len);

	for (size_t i = 0; i < CLI_OPTION_TABLES && !found; i++)
		found = find_in(command->options[i], name, len);
	return found;
}

static const struct cli_option *find_letter(const struct cli_option *table, char letter)
{
	for (; table && table->name; table++)
		if (table->letter == letter)
			return table;
	return NULL;
}

const struct cli_option *command_option_letter(const struct cli_command *command, char letter)
{
	const struct cli_option *found = NULL;

	for (size_t i = 0; i < CLI_OPTION_TABLES && !found; i++)
		found = find_letter(command->options[i], letter);
	return found ? found : find_letter(cli_common_options, letter);
}

/* cli/help.c - see help.h */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/command.h"
#include "spec/key.h"

enum {
	OPTION_WIDTH = 28,
	PATH_WIDTH = 22
};

static void option_row(const struct cli_option *option, struct buf *out)
{
	char left[128];
	int n = option->letter ? snprintf(left, sizeof(left), "  -%c, ", option->letter)
			       : snprintf(left, sizeof(left), "      ");

	n += snprintf(left + n, sizeof(left) - (size_t)n, "--%s%s%s", option->name,
		      option->value ? " " : "", option->value ? option->value : "");
	buf_printf(out, "%-*s  %s\n", OPTION_WIDTH, left, option->text);
}

static void option_table(const struct cli_option *table, struct buf *out)
{
	for (; table && table->name; table++)
		option_row(table, out);
}

/* Each line of @text behind @indent. */
static void indented(const char *text, const char *indent, struct buf *out)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		buf_add_str(out, indent);
		buf_add(out, text, len);
		buf_add_char(out, '\n');
		text += len + (text[len] == '\n');
	}
}

void help_command(const struct cli_command *command, struct buf *out)
{
	buf_printf(out, "Usage: sysctr %s [OPTION]...%s%s\n\n%s.\n", command->path,
		   *command->usage ? " " : "", command->usage, command->summary);
	if (command->text)
		buf_printf(out, "%s\n", command->text);
	if (command->aliases)
		buf_printf(out, "\nAlso: %s\n", command->aliases);
	buf_add_str(out, "\nOptions:\n");
	for (size_t i = 0; i < CLI_OPTION_TABLES; i++)
		option_table(command->options[i], out);
	option_table(cli_common_options, out);
	buf_add_str(out, "\nExample:\n");
	indented(command->example, "  ", out);
}

void help_group(const char *group, struct buf *out)
{
	buf_printf(out, "Usage: sysctr %s%sCOMMAND [OPTION]... [WORD]...\n\nCommands:\n", group,
		   *group ? " " : "");
	for (size_t i = 0; cli_commands[i]; i++) {
		const struct cli_command *c = cli_commands[i];

		if (!(c->flags & CLI_HIDDEN) && command_below(c, group))
			buf_printf(out, "  %-*s  %s\n", PATH_WIDTH, c->path, c->summary);
	}
	buf_printf(out, "\n\"sysctr %s%sCOMMAND --help\" tells more about one of them.\n", group,
		   *group ? " " : "");
}

/* @text with what troff would take for its own escaped. */
static void troff(const char *text, struct buf *out)
{
	if (*text == '.' || *text == '\'')
		buf_add_str(out, "\\&");
	for (; *text; text++) {
		if (*text == '-')
			buf_add_str(out, "\\-");
		else if (*text == '\\')
			buf_add_str(out, "\\e");
		else
			buf_add_char(out, *text);
	}
}

static void manual_options(const struct cli_option *table, struct buf *out)
{
	for (; table && table->name; table++) {
		buf_add_str(out, ".br\n");
		if (table->letter)
			buf_printf(out, "\\fB\\-%c\\fP, ", table->letter);
		buf_add_str(out, "\\fB\\-\\-");
		troff(table->name, out);
		buf_add_str(out, "\\fP");
		if (table->value)
			buf_printf(out, " \\fI%s\\fP", table->value);
		buf_add_str(out, ": ");
		troff(table->text, out);
		buf_add_char(out, '\n');
	}
}

void help_manual(struct buf *out)
{
	for (size_t i = 0; cli_commands[i]; i++) {
		const struct cli_command *c = cli_commands[i];

		if (c->flags & CLI_HIDDEN)
			continue;
		buf_printf(out, ".TP\n\\fBsysctr %s\\fP ", c->path);
		troff(c->usage, out);
		buf_add_char(out, '\n');
		troff(c->summary, out);
		buf_add_str(out, ".\n");
		for (size_t t = 0; t < CLI_OPTION_TABLES; t++)
			manual_options(c->options[t], out);
	}
}

void help_manual_keys(const struct key_table *table, struct buf *out)
{
	for (size_t i = 0; i < table->n_rows; i++) {
		const struct key_row *row = &table->rows[i];

		if (row->flags & KEY_ELSEWHERE)
			continue;
		buf_printf(out, ".TP\n\\fB%s%s\\fP\n", row->name,
			   str_ends_with(row->name, ".") ? "*" : "");
		troff(row->help, out);
		if (row->rule.words) {
			buf_add_str(out, " (");
			troff(row->rule.words, out);
			buf_add_char(out, ')');
		}
		if (row->initial) {
			buf_add_str(out, "; default ");
			troff(row->initial, out);
		}
		buf_printf(out, "%s\n", row->flags & KEY_LIVE ? "; takes effect at once" : "");
	}
}

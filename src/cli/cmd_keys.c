/* cli/cmd_keys.c - config metadata: which keys there are, out of the table of keys */
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "spec/keys.h"

enum {
	NAME_WIDTH = 28
};

static void add_row(const struct key_row *row, struct buf *out)
{
	_cleanup_(freep) char *name =
		xasprintf("%s%s", row->name, str_ends_with(row->name, ".") ? "*" : "");

	buf_printf(out, "%-*s  %s\n", NAME_WIDTH, name, row->help);
}

static int show_all(void)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < instance_keys.n_rows; i++)
		if (!(instance_keys.rows[i].flags & KEY_ELSEWHERE))
			add_row(&instance_keys.rows[i], &text);
	cli_print(buf_str(&text));
	buf_done(&text);
	return CLI_OK;
}

static void add_type(const struct value_rule *rule, struct buf *out)
{
	buf_printf(out, "type:    %s", value_type_name(rule->type));
	if (rule->words)
		buf_printf(out, ": %s", rule->words);
	else if (rule->type == VALUE_INT)
		buf_printf(out, ", %lld to %lld", (long long)rule->min, (long long)rule->max);
	buf_add_char(out, '\n');
}

static int show_one(struct cli *cli, const char *key)
{
	const struct key_row *row = keys_find(key);
	struct buf text = { 0 };
	struct err err = { 0 };

	if (!row || (row->flags & KEY_ELSEWHERE)) {
		(void)keys_validate_one(key, "", &err);
		return cli_fail(cli, NULL, NULL, &err);
	}
	buf_printf(&text, "%s: %s\n", key, row->help);
	add_type(&row->rule, &text);
	if (row->initial)
		buf_printf(&text, "default: %s\n", row->initial);
	buf_printf(&text, "takes effect: %s\n",
		   row->flags & KEY_LIVE ? "at once" : "at the next start");
	if (row->role == KEY_ROLE_ADMIN)
		buf_add_str(&text, "reaches the host: only for its administrators\n");
	cli_print(buf_str(&text));
	buf_done(&text);
	return CLI_OK;
}

static int run(struct cli *cli, const struct cli_args *args)
{
	return args->n_words == 0 ? show_all() : show_one(cli, args->words[0]);
}

const struct cli_command cmd_config_metadata = {
	.path = "config metadata",
	.usage = "[KEY]",
	.summary = "List the keys of instances and profiles, or explain one",
	.example = "sysctr config metadata limits.memory",
	.max_words = 1,
	.hints = { HINT_KEY },
	.flags = CLI_OFFLINE,
	.run = run,
};

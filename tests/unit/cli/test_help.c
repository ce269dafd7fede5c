/* tests/unit/cli/test_help.c - every row is complete, finds itself, and its help is known */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../golden.h"
#include "base/buf.h"
#include "base/macro.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/help.h"

static void assert_sane_option(const struct cli_command *command, const struct cli_option *option)
{
	assert_non_null(option->text);
	assert_true(strlen(option->text) > 0);
	assert_false(str_ends_with(option->text, "."));
	assert_ptr_equal(command_option(command, option->name, strlen(option->name)), option);
	if (option->letter)
		assert_ptr_equal(command_option_letter(command, option->letter), option);
}

static void assert_sane_command(const struct cli_command *command)
{
	_cleanup_(strv_freep) char **words = strv_split(command->path, " ");
	size_t used;

	assert_ptr_equal(command_find(words, &used), command);
	assert_int_equal(used, strv_len(words));
	assert_non_null(command->run);
	assert_non_null(command->usage);
	assert_false(str_ends_with(command->summary, "."));
	assert_true(strncmp(command->example, "sysctr ", 7) == 0 ||
		    strstr(command->example, "sysctr "));
	assert_true(command->min_words <= command->max_words);
	for (size_t t = 0; t < CLI_OPTION_TABLES; t++)
		for (const struct cli_option *o = command->options[t]; o && o->name; o++)
			assert_sane_option(command, o);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; cli_commands[i]; i++)
		assert_sane_command(cli_commands[i]);
}

static void test_find(void **state)
{
	char config[] = "config", set[] = "set", web1[] = "web1", rm[] = "rm", zz[] = "zz";
	char *three[] = { config, set, web1, NULL }, *alias[] = { rm, web1, NULL };
	char *group[] = { config, NULL }, *none[] = { zz, NULL };
	size_t used;

	(void)state;
	assert_string_equal(command_find(three, &used)->path, "config set");
	assert_int_equal(used, 2);
	assert_string_equal(command_find(alias, &used)->path, "delete");
	assert_null(command_find(group, &used));
	assert_true(command_is_group(group, &used));
	assert_false(command_is_group(none, &used));
}

static void test_help(void **state)
{
	struct buf text = { 0 };

	(void)state;
	help_group("", &text);
	for (size_t i = 0; cli_commands[i]; i++) {
		if (cli_commands[i]->flags & CLI_HIDDEN)
			continue;
		buf_printf(&text, "\n==== %s ====\n", cli_commands[i]->path);
		help_command(cli_commands[i], &text);
	}
	assert_golden("cli/help.txt", buf_str(&text));
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

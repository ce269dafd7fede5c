/* tests/unit/cli/test_args.c - the option parser over rows of its own */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/args.h"

static const struct cli_option options[] = {
	{ 'f', "force", NULL, "", HINT_NONE },
	{ 'c', "config", "KEY=VALUE", "", HINT_NONE },
	{ 0, "timeout", "SECONDS", "", HINT_NONE },
	{ 0 },
};

static const struct cli_command plain = {
	.path = "plain", .usage = "NAME...", .options = { options }, .min_words = 1, .max_words = 3
};

static const struct cli_command tail = { .path = "tail",
					 .usage = "NAME COMMAND...",
					 .options = { options },
					 .min_words = 2,
					 .max_words = CLI_MANY,
					 .flags = CLI_LITERAL_TAIL };

/* @line split at blanks; the words and options as one text. */
static char *parse(const struct cli_command *command, const char *line)
{
	_cleanup_(strv_freep) char **argv = strv_split(line, " ");
	char *nothing[] = { NULL };
	struct cli_args args;
	struct err err = { 0 };
	char **shown = NULL, *text;

	if (args_parse(command, argv ? argv : nothing, &args, &err) < 0)
		return xasprintf("! %s", err.msg);
	for (size_t i = 0; i < args.n_words; i++)
		strv_push(&shown, args.words[i]);
	for (size_t i = 0; i < args.n_values; i++)
		strv_push_take(&shown, xasprintf("<%s%s%s>", args.values[i].option->name,
						 args.values[i].value ? "=" : "",
						 args.values[i].value ? args.values[i].value : ""));
	text = strv_join((const char *const *)shown, " ");
	args_done(&args);
	(void)strv_free(shown);
	return text;
}

static void test_cases(void **state)
{
	static const struct {
		const struct cli_command *command;
		const char *line, *wanted;
	} cases[] = {
		{ &plain, "web1", "web1" },
		{ &plain, "web1 -f db1", "web1 db1 <force>" },
		{ &plain, "-fc a=b web1", "web1 <force> <config=a=b>" },
		{ &plain, "-ca=b web1", "web1 <config=a=b>" },
		{ &plain, "--config=a=b --config c= web1", "web1 <config=a=b> <config=c=>" },
		{ &plain, "--timeout -1 web1", "web1 <timeout=-1>" },
		{ &plain, "-- -f", "-f" },
		{ &plain, "- web1", "- web1" },
		{ &plain, "--help", "<help>" },
		{ &tail, "web1 ls -l --force", "web1 ls -l --force" },
		{ &tail, "-f web1 -- ls --", "web1 ls -- <force>" },
		{ &plain, "", "! a word expected: sysctr plain NAME..." },
		{ &plain, "a b c d", "! \"d\" is one word too many: sysctr plain NAME..." },
		{ &plain, "--frce a", "! unknown option --frce (did you mean --force?)" },
		{ &plain, "--zzzzzz a", "! unknown option --zzzzzz" },
		{ &plain, "-z a", "! unknown option -z" },
		{ &plain, "--force=1 a", "! option --force takes no value" },
		{ &plain, "a --config", "! option --config needs KEY=VALUE" },
		{ &plain, "a -c", "! option -c needs KEY=VALUE" },
		{ &tail, "web1", "! more words expected: sysctr tail NAME COMMAND..." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(freep) char *got = parse(cases[i].command, cases[i].line);

		assert_string_equal(got, cases[i].wanted);
	}
}

static void test_getters(void **state)
{
	char a[] = "web1", b[] = "-c", c[] = "x=1", d[] = "-c", e[] = "y=2", f[] = "--timeout",
	     g[] = "30";
	char *argv[] = { a, b, c, d, e, f, g, NULL };
	struct cli_args args;
	int64_t number;
	char **all;

	(void)state;
	assert_int_equal(args_parse(&plain, argv, &args, NULL), 0);
	assert_string_equal(args_get(&args, "config"), "y=2");
	assert_null(args_get(&args, "force"));
	assert_false(args_has(&args, "force"));
	assert_null(args_word(&args, 1));
	all = args_all(&args, "config");
	assert_int_equal(strv_len(all), 2);
	assert_string_equal(all[0], "x=1");
	free(all);
	assert_int_equal(args_number(&args, "timeout", 7, &number, NULL), 0);
	assert_int_equal(number, 30);
	assert_int_equal(args_number(&args, "force", 7, &number, NULL), 0);
	assert_int_equal(number, 7);
	assert_true(args_number(&args, "config", 7, &number, NULL) < 0);
	args_done(&args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_getters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

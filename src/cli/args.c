/* cli/args.c - see args.h */
#include "cli/args.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

static void add_word(struct cli_args *args, char *word)
{
	args->words = xrealloc(args->words, (args->n_words + 2) * sizeof(char *));
	args->words[args->n_words++] = word;
	args->words[args->n_words] = NULL;
}

static void add_value(struct cli_args *args, const struct cli_option *option, const char *value)
{
	args->values = xrealloc(args->values, (args->n_values + 1) * sizeof(*args->values));
	args->values[args->n_values].option = option;
	args->values[args->n_values++].value = value;
}

static int unknown_option(const struct cli_command *command, const char *word, struct err *err)
{
	_cleanup_(strv_freep) char **names = NULL;
	_cleanup_(freep) char *name = xstrndup(word, strcspn(word, "="));
	const char *near;

	for (size_t t = 0; t < CLI_OPTION_TABLES; t++)
		for (const struct cli_option *o = command->options[t]; o && o->name; o++)
			strv_push(&names, o->name);
	strv_push(&names, "quiet");
	strv_push(&names, "help");
	near = str_nearest(name, (const char *const *)names);
	if (near)
		return err_kind(err, ERR_INVALID, "unknown option --%s (did you mean --%s?)", name,
				near);
	return err_kind(err, ERR_INVALID, "unknown option --%s", name);
}

/* "--name", "--name=value" or "--name value". Returns: 1 when @next was used up. */
static int parse_long(struct cli_args *args, const char *word, const char *next, struct err *err)
{
	size_t len = strcspn(word, "=");
	const struct cli_option *option = command_option(args->command, word, len);

	if (!option)
		return unknown_option(args->command, word, err);
	if (!option->value && word[len] == '=')
		return err_kind(err, ERR_INVALID, "option --%s takes no value", option->name);
	if (!option->value || word[len] == '=') {
		add_value(args, option, option->value ? word + len + 1 : NULL);
		return 0;
	}
	if (!next)
		return err_kind(err, ERR_INVALID, "option --%s needs %s", option->name,
				option->value);
	add_value(args, option, next);
	return 1;
}

/* "-fq", "-cKEY" or "-c KEY". Returns: 1 when @next was used up. */
static int parse_letters(struct cli_args *args, const char *letters, const char *next,
			 struct err *err)
{
	for (; *letters; letters++) {
		const struct cli_option *option = command_option_letter(args->command, *letters);

		if (!option)
			return err_kind(err, ERR_INVALID, "unknown option -%c", *letters);
		if (!option->value) {
			add_value(args, option, NULL);
			continue;
		}
		if (letters[1]) {
			add_value(args, option, letters[1] == '=' ? letters + 2 : letters + 1);
			return 0;
		}
		if (!next)
			return err_kind(err, ERR_INVALID, "option -%c needs %s", *letters,
					option->value);
		add_value(args, option, next);
		return 1;
	}
	return 0;
}

static int check_count(const struct cli_args *args, struct err *err)
{
	const struct cli_command *c = args->command;

	if (args->n_words < c->min_words)
		return err_kind(err, ERR_INVALID, "%s expected: sysctr %s %s",
				args->n_words ? "more words" : "a word", c->path, c->usage);
	if (args->n_words > c->max_words)
		return err_kind(err, ERR_INVALID, "\"%s\" is one word too many: sysctr %s %s",
				args->words[c->max_words], c->path, c->usage);
	return 0;
}

static bool is_option(const struct cli_args *args, const char *word)
{
	if ((args->command->flags & CLI_LITERAL_TAIL) && args->n_words >= 2)
		return false;
	return word[0] == '-' && word[1] != '\0';
}

int args_parse(const struct cli_command *command, char *const *argv, struct cli_args *ret_args,
	       struct err *err)
{
	struct cli_args args = { .command = command };
	bool literal = false;

	for (; *argv; argv++) {
		int r = 0;

		if (literal || !is_option(&args, *argv))
			add_word(&args, *argv);
		else if (streq(*argv, "--"))
			literal = true;
		else if ((*argv)[1] == '-')
			r = parse_long(&args, *argv + 2, argv[1], err);
		else
			r = parse_letters(&args, *argv + 1, argv[1], err);
		if (r < 0) {
			args_done(&args);
			return r;
		}
		argv += r;
	}
	if (!args_has(&args, "help")) {
		int r = check_count(&args, err);

		if (r < 0) {
			args_done(&args);
			return r;
		}
	}
	*ret_args = args;
	return 0;
}

void args_done(struct cli_args *args)
{
	free(args->words);
	free(args->values);
	*args = (struct cli_args){ 0 };
}

bool args_has(const struct cli_args *args, const char *name)
{
	for (size_t i = 0; i < args->n_values; i++)
		if (streq(args->values[i].option->name, name))
			return true;
	return false;
}

const char *args_get(const struct cli_args *args, const char *name)
{
	for (size_t i = args->n_values; i > 0; i--)
		if (streq(args->values[i - 1].option->name, name))
			return args->values[i - 1].value;
	return NULL;
}

char **args_all(const struct cli_args *args, const char *name)
{
	char **all = NULL;
	size_t n = 0;

	for (size_t i = 0; i < args->n_values; i++) {
		if (!streq(args->values[i].option->name, name))
			continue;
		all = xrealloc(all, (n + 2) * sizeof(char *));
		all[n++] = (char *)args->values[i].value;
		all[n] = NULL;
	}
	return all;
}

const char *args_word(const struct cli_args *args, size_t i)
{
	return i < args->n_words ? args->words[i] : NULL;
}

int args_number(const struct cli_args *args, const char *name, int64_t fallback,
		int64_t *ret_number, struct err *err)
{
	const char *text = args_get(args, name);

	*ret_number = fallback;
	if (text && parse_i64(text, ret_number) < 0)
		return err_kind(err, ERR_INVALID, "--%s: \"%s\" is not a whole number", name, text);
	return 0;
}

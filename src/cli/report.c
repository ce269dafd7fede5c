/* cli/report.c - see cli.h: messages and their hints */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/progress.h"

/* The daemon's text often begins with the object or the step: those are said already. */
static const char *reason_alone(const char *text, const char *object, const char *step)
{
	static const char *const kinds[] = { "instance", "image", "network", "profile" };

	if (!object || !step)
		return text;
	for (size_t i = 0; i <= ARRAY_LEN(kinds); i++) {
		const char *word = i < ARRAY_LEN(kinds) ? kinds[i] : step;
		_cleanup_(freep) char *said = xasprintf("%s \"%s\": ", word, object);
		const char *rest = str_after(text, said);

		if (rest)
			return rest;
	}
	return text;
}

static const char *usual_hint(const struct err *err)
{
	if (err->kind == ERR_UNAVAILABLE && strstr(err->msg, "not running"))
		return "start it with \"systemctl start sysctrd\", or run sysctrd as root";
	if (err->kind == ERR_FORBIDDEN && strstr(err->msg, "connect "))
		return "use sudo, or add yourself to the group: \"usermod -aG sysctr $USER\"";
	return NULL;
}

int cli_fail_hint(struct cli *cli, const char *object, const char *step, const struct err *err,
		  const char *hint)
{
	const char *text = err_text(err, err->code ? err->code : -EIO);
	struct buf line = { 0 };

	if (cli)
		progress_clear(cli);
	buf_add_str(&line, "Error: ");
	if (object)
		buf_printf(&line, "%s: ", object);
	if (step)
		buf_printf(&line, "%s: ", step);
	buf_printf(&line, "%s\n", reason_alone(text, object, step));
	if (!hint)
		hint = usual_hint(err);
	if (hint)
		buf_printf(&line, "Hint: %s\n", hint);
	(void)fflush(stdout);
	(void)fputs(buf_str(&line), stderr);
	buf_done(&line);
	return CLI_FAILED;
}

int cli_fail(struct cli *cli, const char *object, const char *step, const struct err *err)
{
	return cli_fail_hint(cli, object, step, err, NULL);
}

int cli_usage(const struct cli_args *args, const struct err *err)
{
	(void)fprintf(stderr, "Error: %s: %s\nHint: see \"sysctr %s --help\"\n",
		      args->command->path, err->msg, args->command->path);
	return CLI_USAGE;
}

void cli_say(struct cli *cli, const char *format, ...)
{
	va_list ap;

	if (cli->quiet)
		return;
	progress_clear(cli);
	va_start(ap, format);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

void cli_print(const char *text)
{
	_cleanup_(freep) char *clean = NULL;

	if (isatty(STDOUT_FILENO))
		text = clean = str_printable(text, true);
	(void)fputs(text, stdout);
}

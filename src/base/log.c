/* base/log.c - see log.h */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/time.h"

enum {
	LINE_MAX_LEN = 2048
};

static const char *const level_names[] = {
	[LOG_ERROR] = "error", [LOG_WARN] = "warn",   [LOG_INFO] = "info",
	[LOG_DEBUG] = "debug", [LOG_TRACE] = "trace",
};
static_assert(ARRAY_LEN(level_names) == LOG_LEVEL_MAX, "one name per level");

static enum log_level max_level = LOG_INFO;
static bool with_times;

/* Append fmt to the line, cut at its end. */
static size_t add(char line[LINE_MAX_LEN], size_t used, const char *fmt, ...) _printf_(3, 4);
static size_t add(char line[LINE_MAX_LEN], size_t used, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line + used, LINE_MAX_LEN - used, fmt, ap);
	va_end(ap);
	return n < 0 ? used : MIN(used + (size_t)n, (size_t)LINE_MAX_LEN - 2);
}

void log_write(enum log_level level, const struct log_keys *keys, const char *fmt, ...)
{
	char msg[1024], line[LINE_MAX_LEN], now[FMT_TIME_LEN];
	size_t used = 0;
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	for (char *p = msg; *p; p++)
		if ((unsigned char)*p < 0x20)
			*p = ' '; /* one failure, one line; no terminal escapes from names */
	if (with_times)
		used = add(line, used, "time=%s ", fmt_time(now, time_wall_ns()));
	used = add(line, used, "%s %s", level_names[level], msg);
	if (keys->inst)
		used = add(line, used, " inst=%s", keys->inst);
	if (keys->op)
		used = add(line, used, " op=%s", keys->op);
	if (keys->step)
		used = add(line, used, " step=%s", keys->step);
	line[used++] = '\n';
	if (write(STDERR_FILENO, line, used) < 0)
		return; /* nowhere left to say so */
}

void log_set_times(bool on)
{
	with_times = on;
}

void log_set_level(enum log_level level)
{
	max_level = level;
}

int log_parse_level(const char *word, enum log_level *ret_level)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (strcmp(word, level_names[i]) == 0) {
			*ret_level = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

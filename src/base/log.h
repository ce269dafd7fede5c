/*
 * base/log.h - logfmt lines on standard error (journald adds time and unit)
 *
 * Programs log; libraries only trace (style G1). One failure is one line, written by the function
 * that answers for it.
 */
#pragma once

#include <stdbool.h>

#include "base/macro.h"

enum log_level {
	LOG_ERROR,
	LOG_WARN,
	LOG_INFO,
	LOG_DEBUG,
	LOG_TRACE,
	LOG_LEVEL_MAX
};

/* The fixed keys; a NULL one is left out. */
struct log_keys {
	const char *inst;
	const char *op;
	const char *step;
};

/* log_info((struct log_keys){ .inst = name }, "started pid=%d", pid) */
#define log_error(keys, ...) log_write(LOG_ERROR, &(keys), __VA_ARGS__)
#define log_warn(keys, ...)  log_write(LOG_WARN, &(keys), __VA_ARGS__)
#define log_info(keys, ...)  log_write(LOG_INFO, &(keys), __VA_ARGS__)
#define log_debug(keys, ...) log_write(LOG_DEBUG, &(keys), __VA_ARGS__)
#define log_trace(keys, ...) log_write(LOG_TRACE, &(keys), __VA_ARGS__)
#define LOG_NONE	     ((struct log_keys){ 0 })

void log_write(enum log_level level, const struct log_keys *keys, const char *fmt, ...)
	_printf_(3, 4);

void log_set_level(enum log_level level);

/* Begin each line with "time=..." (UTC): for a log that journald does not see. */
void log_set_times(bool on);

/* "error" "warn" "info" "debug" "trace". Returns: 0 or -EINVAL. */
int log_parse_level(const char *word, enum log_level *ret_level);

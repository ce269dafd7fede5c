/*
 * monitor/conlog.h - the console's log file, with a size cap and one older generation ("<path>.1")
 *
 * Layer: monitor. Blocks as writing to a local file does; a full disk loses output, nothing else.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct conlog {
	int dir_fd;
	int fd; /* -EBADF: no log */
	char *name;
	char *old_name;
	uint64_t size_bytes;
	uint64_t max_bytes;
};

/* @path: absolute, copied. @max_bytes 0: no limit. */
int conlog_open(struct conlog *log, const char *path, uint64_t max_bytes, struct err *err);
void conlog_done(struct conlog *log);

void conlog_write(struct conlog *log, const char *bytes, size_t len);

/* Empty the file and remove the older one. */
void conlog_clear(struct conlog *log);

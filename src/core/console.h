/*
 * core/console.h - attach a client to the console of a running instance
 *
 * Layer: core. await-client -> attach -> await-end; the monitor owns the pty and its history.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "core/op.h"

struct inst;

/* @force: take it over from whoever has it. Errors: ERR_INVALID when it is not running. */
int console_attach(struct inst *inst, uint32_t width, uint32_t height, bool force,
		   struct op **ret_op, struct err *err);

/*
 * What the console said last: from the monitor of a running instance, else from the log file.
 *
 * @done: called once; @fd: a regular file or memory file at offset 0, taken; or negative with @err.
 */
typedef void console_log_fn(void *data, int fd, const struct err *err);
void console_log(struct inst *inst, console_log_fn *done, void *data);

/* Empty history and log. @done as above, with fd -EBADF in any case. */
void console_clear(struct inst *inst, console_log_fn *done, void *data);

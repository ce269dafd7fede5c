/*
 * image/child.h - run one program and wait for it
 *
 * Layer: image. Process: the body of a sandbox (single-threaded). Blocks until the program ends.
 */
#pragma once

#include "base/buf.h"

/*
 * Run @argv (absolute path first) with @env alone. @stdin_fd: its standard input; -EBADF: /dev/null.
 * Returns: exit status, 128 + signal, or -errno when it could not be started.
 */
int child_run(const char *const *argv, const char *const *env, int stdin_fd);

/* The same; its standard output goes to @stdout_fd. */
int child_run_to(const char *const *argv, const char *const *env, int stdin_fd, int stdout_fd);

/* The same; its standard output is appended to *@out, at most @max_bytes (-EFBIG). */
int child_read(const char *const *argv, const char *const *env, size_t max_bytes, struct buf *out);

/* Standard output and error of this process go to @log_fd from now on. Returns: 0 or -errno. */
int child_redirect(int log_fd);

/* The first of @paths that is an executable file, or NULL. */
const char *child_find(const char *const *paths);

/*
 * exec/files.h - sysctr-exec as a file server instead of a command
 *
 * Layer exec. Inside a running container like any session, or for a stopped instance in a sandbox
 * that holds nothing but its root (docs/adr/0020-file-server.md).
 */
#pragma once

#include "exec/run.h"

/* In the clone: serve what context->spec.files asks for. Returns: exit status, or -errno. */
int run_files(const struct run_context *context, struct err *err);

/* sysctr-exec files, started by sysctrd: a struct files_job in FILES_JOB_FD. Returns: exit status. */
int files_stopped_main(void);

/*
 * os/sandbox_filter.h - the system calls that a sandbox may make (SANDBOX_FILTER_*)
 *
 * Layer: os. Runs in the sandbox, right before its body. Never blocks. Calls of another ABI than
 * the program's own kill the process. What a parser may not do is ENOSYS, so that libc falls back from
 * calls that are newer than this list; what a build may not do is EPERM.
 */
#pragma once

#include "os/sandbox.h"

int sandbox_filter_install(enum sandbox_filter filter);

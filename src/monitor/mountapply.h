/* monitor/mountapply.h - carry out a mount plan below a root; only in the container's own namespaces */
#pragma once

#include "base/err.h"
#include "monitor/mountplan.h"

/* Errors name the step; a link where a target should be is refused (threats B1, B6, B7). */
int mount_plan_apply(const struct mount_plan *plan, int root_fd, struct err *err);

/* Attach @mount_fd on the file @target, made when missing. */
int mount_apply_on_file(int root_fd, const char *target, int mount_fd, struct err *err);

/*
 * monitor/mountplan.h - what is mounted inside a container, as data
 *
 * Layer: monitor. Pure; mountapply.h does it. Targets are relative to the container's root and
 * plain (os/path.h T1): a root whose /proc is a link is refused when the plan is applied.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/vec.h"
#include "os/mount.h"
#include "spec/instance.h"

enum mount_action {
	MOUNT_NEW,	/* a new file system of type what on target */
	MOUNT_NODE,	/* the host's device node /dev/<what>, checked by number */
	MOUNT_DIR,	/* make the directory target with mode */
	MOUNT_LINK,	/* make target a symbolic link to what */
	MOUNT_MASK,	/* hide the file or directory target, if it is there */
	MOUNT_READONLY, /* bind target on itself, read-only, if it is there */
	MOUNT_ACTION_MAX
};

enum {
	MOUNT_OPTS_MAX = 4
};

struct mount_step {
	enum mount_action action;
	const char *target;
	const char *what;
	struct mount_opt opts[MOUNT_OPTS_MAX];
	uint64_t attrs;	       /* MOUNT_ATTR_* */
	uint32_t mode;	       /* MOUNT_DIR */
	uint32_t major, minor; /* MOUNT_NODE */
	bool optional;	       /* MOUNT_NODE: a host without it is none the worse */
};

/* Borrows static strings only: valid as long as the program. */
struct mount_plan {
	VEC(struct mount_step) steps;
};

/* What is there from the start; the same for all. */
void mount_plan_make(struct mount_plan *ret_plan);

/* What is taken away once sysctls are set: nothing, unless the container is privileged. */
void mount_plan_make_masks(const struct inst_spec *spec, struct mount_plan *ret_plan);
void mount_plan_done(struct mount_plan *plan);

/* One line per step, for golden files and traces. */
void mount_plan_format(const struct mount_plan *plan, struct buf *out);

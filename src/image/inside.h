/*
 * image/inside.h - the part of a build that happens inside the new root: packages, files, actions
 *
 * Layer: image. Process: the body of a sandbox whose "/" is the new root; blocks.
 *
 *   I1  What goes wrong is said on standard error, which is the build's log, as an "E: " line.
 */
#pragma once

#include "spec/template.h"

/* Where the sandbox has what the new root has not; left out of the image. */
#define INSIDE_DIR	"/.build"
#define INSIDE_MIRROR	INSIDE_DIR "/mirror"
#define INSIDE_TEMPLATE INSIDE_DIR "/template"

struct inside {
	const struct template *t;
	const struct template_plan *plan;
	const char *resolv_conf; /* text that names the host's resolvers */
};

/* Everything in order. Returns: 0, or 1 after saying what failed. */
int inside_run(const struct inside *inside);

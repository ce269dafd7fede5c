/*
 * core/template.h - building images from templates
 *
 * Layer: core. Templates are <datadir>/templates/NAME.yaml; what one build is, says spec/template.h.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "core/op.h"

struct core;

/* Whether the first part of @name is a template of ours. */
bool template_exists(const struct core *core, const char *name);

/* Names of all templates; strv, owned by the caller. */
char **template_names(const struct core *core);

/*
 * Start the op that builds @name and stores it.
 *
 * @yaml: the template's text; NULL: ours. @alias: NULL: what the template calls it.
 */
int template_build(struct core *core, const char *name, const char *yaml, const char *alias,
		   struct op **ret_op, struct err *err);

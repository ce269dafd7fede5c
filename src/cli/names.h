/* cli/names.h - which instances a command means (cli, sysctr) */
#pragma once

#include <jansson.h>

#include "base/err.h"

struct cli;
struct cli_args;

/*
 * The words of @args, or with --all the names of all instances whose status is @status (NULL: any).
 *
 * Returns: 0 with owned names, maybe none.
 */
int names_choose(struct cli *cli, const struct cli_args *args, const char *status,
		 char ***ret_names, struct err *err);

/* cli/cmd_state.c: PUT a state; the id of the operation, owned. */
int state_request(struct cli *cli, const char *name, json_t *body, char **ret_operation,
		  struct err *err);

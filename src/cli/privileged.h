/* cli/privileged.h - what is said about instances whose root is the host's (cli) */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct cli;

#define PRIVILEGED_WORDS "root inside is root on the host"

/* @instance: with expanded_config, at least its security.privileged. */
bool privileged_is(const json_t *instance);

/* A warning on standard error, --quiet or not, if the instance @name is such a one. */
void privileged_warn_user(struct cli *cli, const char *name);

/* cli/image.h - images by any of their names (cli, sysctr) */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct cli;

/* Alias to fingerprint; a word that is no alias comes back as it is. Returns: owned. */
int image_resolve(struct cli *cli, const char *word, char **ret_fingerprint, struct err *err);

/* "/1.0/images/aliases/debian%2Ftrixie". Returns: new string. */
char *image_alias_path(const char *alias);

/* Make @alias point to @fingerprint; @move: take it from another image. */
int image_set_alias(struct cli *cli, const char *alias, const char *fingerprint, bool move,
		    struct err *err);

int image_fail(struct cli *cli, const char *word, const char *step, const struct err *err);

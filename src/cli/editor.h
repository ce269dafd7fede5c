/* cli/editor.h - the user's editor on a text (cli, sysctr) */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Let $VISUAL, $EDITOR or vi change @text. Returns: 0, 1 when it was left as it is, -errno.
 */
int editor_run(struct buf *text, struct err *err);

/* Show @problem and ask whether to go on editing. */
bool editor_ask_again(const char *problem);

/* cli/help.h - help texts from the command rows (cli, sysctr; pure) */
#pragma once

#include "base/buf.h"

struct cli_command;

/* One command: usage, meaning, options, example. */
void help_command(const struct cli_command *command, struct buf *out);

/* All commands below @group ("config"), "" for all there are. */
void help_group(const char *group, struct buf *out);

/* The command list of sysctr(1), in troff. */
void help_manual(struct buf *out);

/* The rows of a table of keys, in troff. */
struct key_table;
void help_manual_keys(const struct key_table *table, struct buf *out);

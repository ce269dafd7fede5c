/* cli/snapshot.h - naming snapshots on the command line (cli, sysctr) */
#pragma once

#include "cli/cli.h"
#include "cli/table.h"

/* "/1.0/instances/web1/snapshots/snap0"; @suffix as in object_path(). Returns: new string. */
char *snapshot_path(const char *instance, const char *snapshot, const char *suffix);

/*
 * INSTANCE SNAPSHOT or INSTANCE/SNAPSHOT, from the words of @args.
 * Returns: 0 with owned strings and in *@ret_used how many words that took. Errors: ERR_INVALID.
 */
int snapshot_words(const struct cli_args *args, char **ret_instance, char **ret_snapshot,
		   size_t *ret_used, struct err *err);

/* A cell of "expires_at": "-" for never. */
void cell_expiry(const json_t *row, const char *key, struct buf *out);

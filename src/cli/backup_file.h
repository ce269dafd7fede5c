/* cli/backup_file.h - backups from and to files, of instances and custom volumes (cli, sysctr) */
#pragma once

#include "cli/cli.h"

struct backup_source {
	const char *path; /* in the API, with its query */
	const char *name; /* of the file, where none is given */
	const char *compression;
};

/*
 * @file: NULL: the name with a suffix; else as in outfile.h. Blocks; errors are of the daemon or the
 * file. cmd_export.c
 */
int backup_save(struct cli *cli, const struct backup_source *source, const char *file,
		struct err *err);

/*
 * POST @file ("-": standard input) to @path, and wait. @headers: further lines, NULL-terminated, at
 * most three. Says what was left out, and the name. cmd_import.c
 */
int backup_send(struct cli *cli, const char *path, char *const *headers, const char *file,
		struct err *err);

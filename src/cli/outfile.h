/*
 * cli/outfile.h - what the command writes for keeps: whole under its name, or not there (cli, sysctr)
 *
 * Blocks. A plain file is NAME.part, readable by its owner alone (backups hold the secrets of an
 * instance), until it is whole. What is no plain file (a device, a FIFO, standard output) is written
 * as it is and never replaced; a link is followed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct outfile {
	char *name; /* what it is called in errors */
	char *path; /* where it is to be in the end; NULL: it is written in place */
	char *part;
	int fd;
};

#define OUTFILE_NONE ((struct outfile){ .fd = -EBADF })

/*
 * @name: "-" is standard output. Reporting: a directory, a terminal, a NAME.part that another command
 * is writing; one that a killed command has left is taken over.
 */
int outfile_open(const char *name, struct outfile *ret_file, struct err *err);

int outfile_write(struct outfile *file, const void *bytes, size_t len, struct err *err);

/* Nothing more comes: what could not be written is told at the latest now. */
int outfile_close(struct outfile *file, struct err *err);

/* @whole: give a closed file its name, else remove it. Errors: of the former. */
int outfile_settle(struct outfile *file, bool whole, struct err *err);

void outfile_done(struct outfile *file);

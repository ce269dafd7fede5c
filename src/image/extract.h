/*
 * image/extract.h - entries of a tarball into a directory: what all that unpack root file systems
 * share (image; in a sandbox only)
 *
 *   X1  The working directory is the target. No entry is written through a link that another one
 *       made, none outside of the target.
 *   X2  Device nodes and sockets are left out; setuid bits and security.capability are kept,
 *       trusted.* and other security.* are dropped.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "image/entry.h"
#include "image/report.h"
#include "image/tarball.h"

struct archive;

/* The root's own entry, applied last: filling a directory changes its times. */
struct extract_root {
	bool seen;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
};

/* Set the first three, the rest zero; then extract_begin(). */
struct extract {
	struct report *report;
	struct tarball *tarball;
	uint64_t reserve_bytes; /* stay away from less free space than this */
	struct archive *disk;
	struct extract_root root;
	uint64_t space_bytes; /* out_bytes at the last look at the free space */
	uint64_t space_entries;
	uint64_t n_entries; /* below the root */
};

int extract_begin(struct extract *x, struct err *err);

/* Whether enough is free, @now or if it was not looked at lately. Errors: -ENOSPC. */
int extract_check_space(struct extract *x, bool now, struct err *err);

/* The entry that is @name below the root, "" for itself; what is not allowed is left out. */
int extract_entry(struct extract *x, enum entry_layout layout, struct archive_entry *entry,
		  const char *name, struct err *err);

/* All entries are there: attributes of directories. */
int extract_finish(struct extract *x, struct err *err);
void extract_done(struct extract *x);

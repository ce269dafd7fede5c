/*
 * storage/diff.h - what differs between two states of a volume, found without reading files
 *
 * Layer: storage. Process: sysctr-worker; blocks. Where both states stand on one image, only what is
 * in an upper layer is looked at; whiteouts, opaque directories and redirects mean what overlayfs
 * means by them. A file differs when size, time, owner, mode or kind do. Memory is bounded by the
 * largest directory; links are not followed; the answer holds names that a stranger chose.
 */
#pragma once

#include "storage/driver.h"

enum diff_kind {
	DIFF_ADDED,
	DIFF_CHANGED,
	DIFF_REMOVED, /* of a directory: with all that was in it */
	DIFF_KIND_MAX
};

/* 'A', 'C', 'D' */
char diff_letter(enum diff_kind kind);

/* Returns: 0, or -errno with *@err set to stop. */
typedef int diff_fn(void *data, enum diff_kind kind, const char *path, struct err *err);

struct diff_request {
	const char *old;	   /* a snapshot's volume */
	enum volume_kind new_kind; /* VOLUME_SNAPSHOT, VOLUME_INSTANCE */
	const char *new;
	const char *old_image; /* what each stands on; NULL: nothing */
	const char *new_image;
};

/* Errors: ERR_NOT_FOUND, -ECANCELED, -ELOOP (deeper than 500), -E2BIG (too large a directory). */
int volume_diff(struct pool *pool, const struct diff_request *request, diff_fn *fn, void *data,
		struct err *err);

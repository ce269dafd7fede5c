/*
 * image/release_index.h - what a mirror says about its files: an index, or a checksum file (pure)
 *
 * Both come from a server and are read in sysctr-fetch's sandbox.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

/* Owned strings; free with release_entry_done(). */
struct release_entry {
	char *file;	/* plain file name, beside the index */
	char *version;	/* NULL: not said */
	char *checksum; /* "sha512:..." or "sha256:..."; NULL: not said */
};

/*
 * Find @flavor in a YAML list of {flavor, file, version, sha256, sha512}: latest-releases.yaml of
 * Alpine's mirrors. Errors: ERR_INVALID, ERR_NOT_FOUND when no entry has that flavor.
 */
int release_index_find(const char *text, size_t len, const char *flavor,
		       struct release_entry *ret_entry, struct err *err);
void release_entry_done(struct release_entry *entry);

/*
 * The checksum of the file @name in lines "<hex>  <name>"; a single line may be without a name.
 * @ret_checksum: new string "sha256:..." or "sha512:..." by the number of digits.
 */
int release_checksum_find(const char *text, const char *name, char **ret_checksum, struct err *err);

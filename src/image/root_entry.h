/*
 * image/root_entry.h - whether an entry may become part of a root file system (image; sandbox)
 *
 * The same at the import and when it is unpacked.
 */
#pragma once

#include <archive_entry.h>

#include "base/err.h"
#include "image/entry.h"

/*
 * Check type, owner and hard link of the entry that is @name below the root ("" the root itself);
 * a hard link's target becomes a name below the root.
 *
 * Returns: 0, or 1 for what is left out: device nodes and sockets. Errors: ERR_INVALID.
 */
int root_entry_check(enum entry_layout layout, struct archive_entry *entry, const char *name,
		     struct err *err);

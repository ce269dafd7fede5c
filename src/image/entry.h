/*
 * image/entry.h - which name inside an archive becomes which name on disk (image, pure, fuzzed)
 *
 *   E1  What is returned is relative, without "." and "..", and safe to be used below a directory.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"

enum {
	ENTRY_DEPTH_MAX = 512, /* components */
};

enum entry_layout {
	ENTRY_LAYOUT_UNKNOWN, /* nothing telling seen yet */
	ENTRY_LAYOUT_UNIFIED, /* metadata.yaml, rootfs/..., templates/... */
	ENTRY_LAYOUT_PLAIN,   /* a root file system at the top */
	ENTRY_LAYOUT_MAX
};

/*
 * Strip "./", double and trailing slashes; "" is the top directory itself.
 *
 * Errors: ERR_INVALID naming the entry: absolute, with "..", too long or too deep.
 */
int entry_normalize(const char *name, char ret_name[PATH_MAX], struct err *err);

/* What a normalized name says about the archive it is in. */
enum entry_layout entry_guess_layout(const char *name);

/*
 * The name below the root directory ("" for itself) in @name, which is normalized; NULL for what
 * belongs to the image, but not to its root file system.
 */
const char *entry_below_root(enum entry_layout layout, const char *name);

/* Whether a root file system's entry shows that it is one: etc, bin, sbin/init, usr/bin... */
bool entry_is_root_marker(const char *name);

/* Whether an extended attribute may be set: not trusted.*, of security.* only the capabilities. */
bool entry_keeps_xattr(const char *name);

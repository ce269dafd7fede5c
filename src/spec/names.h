/*
 * spec/names.h - what each kind of object may be called; the only place that decides it
 *
 * Used for what users type and just the same for names that come from images, backups and servers.
 */
#pragma once

#include "base/err.h"

enum name_kind {
	NAME_INSTANCE, /* host name rules (RFC 1123 label): letters, digits, hyphen; 63; no digit
			  or hyphen first, no hyphen last */
	NAME_SNAPSHOT, /* letters, digits, . _ -; 63; no / */
	NAME_PROFILE,  /* as snapshots, and so on below */
	NAME_NETWORK,  /* also a valid interface name: 15 */
	NAME_POOL,
	NAME_VOLUME,
	NAME_DEVICE,
	NAME_IMAGE_ALIAS, /* parts of letters, digits, . _ - joined by /; 255 */
	NAME_FINGERPRINT, /* 64 lower-case hex digits */
	NAME_REMOTE,
	NAME_BACKUP, /* as snapshots */
	NAME_KIND_MAX
};

/* Errors: ERR_INVALID: 'instance name "-x": must begin with a letter'. NULL is refused too. */
int name_validate(enum name_kind kind, const char *name, struct err *err);

/*
 * spec/seed.h - what cloud-init inside is to read: a NoCloud seed out of configuration keys (spec, pure)
 */
#pragma once

#include "base/strmap.h"

#define SEED_DIR "var/lib/cloud/seed/nocloud-net"

enum {
	SEED_FILE_MAX = 1024 * 1024
};

/*
 * Fill *@seed (empty before) with file names and contents; it stays empty unless one of
 * cloud-init.* or the older user.user-data, user.vendor-data, user.network-config, user.meta-data
 * is set. The instance-id is another one when anything else in it is, so that cloud-init acts.
 */
void seed_make(const struct strmap *config, const char *name, const char *uuid,
	       struct strmap *seed);

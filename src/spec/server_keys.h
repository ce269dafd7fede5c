/* spec/server_keys.h - the configuration keys of the daemon that clients set (spec, pure) */
#pragma once

#include "spec/key.h"

/* What the daemon keeps for itself in the same table of the database ("internal.") is not here. */
extern const struct key_table server_keys;

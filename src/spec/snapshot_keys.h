/* spec/snapshot_keys.h - checks of the keys snapshots.*, which instances and volumes have (spec, pure) */
#pragma once

#include "base/err.h"

/* Extra checks of struct key_row: *.expiry, *.keep, *.pattern. Errors: ERR_INVALID. */
int key_check_span(const char *key, const char *value, struct err *err);
int key_check_keep(const char *key, const char *value, struct err *err);
int key_check_pattern(const char *key, const char *value, struct err *err);

/* spec/keys.h - the configuration keys of instances and profiles: one table (spec, pure) */
#pragma once

#include "base/err.h"
#include "base/strmap.h"
#include "spec/key.h"

/* For iteration: completion, documentation, metadata. */
extern const struct key_table instance_keys;

const struct key_row *keys_find(const char *key);

/* Errors: as key_check(). */
int keys_validate_one(const char *key, const char *value, struct err *err);

/* All pairs, and what spans several keys. For the local, a profile's and the expanded config. */
int keys_validate(const struct strmap *config, struct err *err);

/* Typed reads of a validated config; @fallback when unset or empty. */
const char *keys_get(const struct strmap *config, const char *key, const char *fallback);
bool keys_get_bool(const struct strmap *config, const char *key, bool fallback);
int64_t keys_get_int(const struct strmap *config, const char *key, int64_t fallback);

/* Take out all pairs with an empty value, which is how clients say unset. */
void keys_drop_empty(struct strmap *config);

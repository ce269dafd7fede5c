/* spec/rlimit.h - limits.kernel.*: process limits of a container's init and commands (spec, pure) */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "base/vec.h"
#include "codec/wire.h"

#define RLIMIT_KEY_PREFIX "limits.kernel."

enum {
	RLIMIT_ROWS_MAX = 16 /* as many as there are names */
};

struct spec_rlimit {
	uint32_t resource; /* RLIMIT_* */
	uint64_t soft;	   /* UINT64_MAX: unlimited */
	uint64_t hard;
};
extern const struct wire_schema spec_rlimit_schema;
struct spec_rlimits {
	VEC(struct spec_rlimit) list;
};

/* Check the name behind the prefix and "N", "unlimited" or "SOFT:HARD". For the table of keys. */
int rlimit_check(const char *key, const char *value, struct err *err);

/* Append the limits of an expanded, checked configuration. */
void rlimits_from_config(const struct strmap *config, struct spec_rlimits *limits);

/* "nofile" of a resource; NULL for none of ours. */
const char *rlimit_name(uint32_t resource);

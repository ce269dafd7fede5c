/* spec/profile.h - a profile: configuration and devices shared by instances (spec, pure) */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"

#define PROFILE_DEFAULT "default" /* always exists */

/* Strings are owned; free with profile_record_free(). */
struct profile_record {
	int64_t id; /* 0: not stored yet */
	char *name;
	char *description;
	struct strmap config;
	struct strmap devices; /* spec/device.h */
};

struct profile_record *profile_record_new(const char *name);
struct profile_record *profile_record_copy(const struct profile_record *record);
void profile_record_free(struct profile_record *record);
void profile_record_freep(struct profile_record **record);

/* Name, keys, and devices as far as they can be judged before expansion. */
int profile_record_validate(const struct profile_record *record, struct err *err);

/*
 * core/profile.h - profiles: an edit is one transaction, checked against every instance that uses it
 *
 * Layer: core.
 */
#pragma once

#include "base/err.h"
#include "spec/profile.h"

struct core;
struct op;

/* Errors: ERR_NOT_FOUND. */
int profile_find(struct core *core, const char *name, struct profile_record **ret_profile,
		 struct err *err);

/* @record: copied. Errors: ERR_CONFLICT, ERR_INVALID. */
int profile_create(struct core *core, const struct profile_record *record, struct err *err);

/*
 * Replace description, config and devices of the profile of that name. Each instance that uses it
 * is checked first; then all follow, live where the key allows it, or none does.
 */
int profile_update(struct core *core, const struct profile_record *record, struct op **ret_op,
		   struct err *err);

/* All checks of profile_update(), for its preview. Errors: as there. */
int profile_check_edit(struct core *core, const struct profile_record *record, struct err *err);

/* Errors: ERR_INVALID for "default"; ERR_CONFLICT. */
int profile_rename(struct core *core, const char *name, const char *new_name, struct err *err);

/* Errors: ERR_INVALID while it is used, and for "default". */
int profile_delete(struct core *core, const char *name, struct err *err);

/* Whether @inst uses it. */
struct inst;
struct op;
bool profile_is_used_by(const char *name, const struct inst *inst);
